"""The clients of AWS that steps call."""

import pytest
from moto import mock_aws

from billfold import aws


@pytest.fixture
def cloud():
    with mock_aws():
        aws.forget()
        yield
        aws.forget()


@pytest.mark.parametrize("service", ["sqs", "kms", "s3", "stepfunctions", "textract"])
def test_a_client_gives_up_in_time_and_is_made_once(cloud, service):
    """XX-02: connect within a second, read within three, three attempts at most; no call outlasts its caller."""
    client = aws.client(service)
    assert aws.client(service) is client
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, 3)
    assert config.retries["total_max_attempts"] == 3
    assert client.meta.region_name == "eu-west-1"
