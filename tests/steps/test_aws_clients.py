"""The clients of AWS that steps call."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from moto import mock_aws

from billfold import aws
from billfold.errors import Unavailable
from tests.cloud import secret_store


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


@pytest.mark.parametrize("name", ["cursor-key", "stripe", "some-other"])
def test_a_changed_secret_is_used_within_five_minutes_without_a_deployment(cloud, name):
    """XX-06: fetched by the process that uses it, and not again before."""
    kept = {f"billfold-{name}": "old"}
    begin = datetime.now(UTC)
    with secret_store.running(kept) as asked:
        assert aws.secret(name) == "old"
        kept[f"billfold-{name}"] = "new"
        with time_machine.travel(begin + timedelta(minutes=4), tick=False):
            assert aws.secret(name) == "old"
        with time_machine.travel(begin + timedelta(minutes=6), tick=False):
            assert [aws.secret(name) for _ in range(3)] == ["new"] * 3
    assert asked == [f"billfold-{name}"] * 2


def test_a_secret_goes_on_while_secrets_manager_is_silent_and_is_unavailable_where_there_was_none(cloud):
    """XX-02: who asks again gets an answer; nobody gets an empty key."""
    kept = {"billfold-stripe": "known"}
    begin = datetime.now(UTC)
    with secret_store.running(kept):
        assert aws.secret("stripe") == "known"
        kept.clear()
        with time_machine.travel(begin + timedelta(hours=1), tick=False):
            assert aws.secret("stripe") == "known"
        with pytest.raises(Unavailable):
            aws.secret("cursor-key")
