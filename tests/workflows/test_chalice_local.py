"""`chalice local`: the map serves its routes without any cloud, as its own development server gets them."""

import base64
import json
import logging

import pytest
from chalice.config import Config
from chalice.local import LocalGateway

from app import app
from tests.world import joined

# Its development server says so of every route: it decodes tokens, and verifies none.
pytestmark = pytest.mark.filterwarnings("ignore:CognitoUserPoolAuthorizer is not a supported")


@pytest.fixture
def gateway():
    """Chalice takes the logger of the app's name for its own; other tests read ours."""
    logger = logging.getLogger(app.app_name)
    before = logger.propagate, logger.level, list(logger.handlers)
    yield LocalGateway(app, Config(chalice_stage="local", config_from_disk={"app_name": "billfold"}))
    logger.propagate, logger.level, logger.handlers = before


def test_who_has_no_token_sees_the_health_and_the_contract(gateway):
    """The two routes that anyone may call."""
    assert gateway.handle_request("GET", "/v1/health", {}, b"")["statusCode"] == 200
    served = gateway.handle_request("GET", "/v1/openapi.json", {}, b"")
    assert json.loads(served["body"])["openapi"] == "3.1.0"
    assert gateway.handle_request("GET", "/v1/wallets", {}, b"")["statusCode"] == 401


def test_a_user_with_a_token_sees_what_is_theirs(gateway, store):
    """It decodes tokens and verifies none: development only. Path parameters and queries arrive as from the real gateway."""
    person = joined()
    claims = base64.urlsafe_b64encode(json.dumps({"sub": person.sub, "cognito:username": person.sub}).encode()).decode()
    headers = {"Authorization": f"e30.{claims}.none"}
    listed = gateway.handle_request("GET", "/v1/devices?limit=1", headers, b"")
    assert [device["id"] for device in json.loads(listed["body"])["items"]] == [person.phone.device_id]
    refused = gateway.handle_request("GET", "/v1/devices?limit=0", headers, b"")
    assert json.loads(refused["body"])["code"] == "invalid"
    entries = gateway.handle_request("GET", "/v1/wallets/USD/entries", headers, b"")
    assert json.loads(entries["body"]) == {"items": []}
