"""answer_bank_calls: who may ask the sandbox bank, and what it makes of calls that are not as they should be."""

import json

import pytest

from billfold.banks.sandbox import derived_key
from functions.sandbox_bank import answer_bank_calls
from tests.cloud import bank_server
from tests.world.bank_fixtures import card

CHARGE = {"token": "bau_x.y", "amount": 100, "currency": "USD", "merchant_reference": "chg_1"}


pytestmark = pytest.mark.usefixtures("bank")


def ask(method, path, body=None, key="a-key", raw=None, query=None, bearer=None):
    bearer = derived_key(bank_server.SECRET, "calls").hex() if bearer is None else bearer
    event = {
        "httpMethod": method,
        "resource": path,
        "headers": {"authorization": f"Bearer {bearer}", "Idempotency-Key": key},
        "queryStringParameters": query,
        "body": json.dumps(body) if raw is None else raw,
    }
    answer = answer_bank_calls.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def asked(name="approved", rest=1):
    return {"merchant_reference": "crd_1", "number": card(name, rest), "force_challenge": False}


@pytest.mark.parametrize("bearer", ["", "wrong", "é"])
def test_nobody_asks_without_the_banks_key(bearer):
    """A bank answers its merchant only."""
    assert ask("POST", "/v1/authentications", asked(), bearer=bearer) == (401, {"error": "unauthorized"})


@pytest.mark.parametrize("raw", ["", "{", "[]", "{}", '{"number": "4"}', '{"merchant_reference": 1}'])
def test_a_call_without_what_it_needs_is_malformed(raw):
    """And nothing is remembered of it."""
    assert ask("POST", "/v1/authentications", raw=raw) == (400, {"error": "malformed"})


@pytest.mark.parametrize("number", ["", "4", "4" * 11, "4" * 20, "4000 0010 0000 0018", "4000001000000O18", None])
def test_a_number_of_a_card_has_12_to_19_digits(number):
    """And nothing else in it."""
    assert ask("POST", "/v1/authentications", asked() | {"number": number}) == (400, {"error": "malformed"})


@pytest.mark.parametrize("amount", [0, -1, 1.5, "1", True, [], None])
def test_an_amount_is_a_positive_integer(amount):
    """Minor units."""
    assert ask("POST", "/v1/charges", CHARGE | {"amount": amount}) == (400, {"error": "malformed"})


def test_every_operation_needs_a_key():
    """Otherwise it could not be asked for again."""
    assert ask("POST", "/v1/authentications", asked(), key="") == (400, {"error": "idempotency_key_missing"})


def test_a_key_stands_for_one_request():
    """The same key with another card is refused; the first answer stands."""
    first = ask("POST", "/v1/authentications", asked())
    assert ask("POST", "/v1/authentications", asked(rest=2)) == (422, {"error": "idempotency_key_reused"})
    assert ask("POST", "/v1/authentications", asked()) == first


def test_a_token_that_is_not_the_banks_own_is_unknown():
    """Tokens are keyed hashes: one cannot be made up."""
    _, approved = ask("POST", "/v1/authentications", asked())
    forged = approved["token"][:-1] + ("0" if approved["token"][-1] != "0" else "1")
    assert ask("POST", "/v1/charges", CHARGE | {"token": forged}) == (404, {"error": "unknown_reference"})
    assert ask("POST", "/v1/charges", CHARGE | {"token": approved["token"]}, key="k2")[1]["outcome"] == "charged"


def test_what_does_not_exist_is_not_found():
    """Routes, authentications, operations."""
    assert ask("GET", "/v1/nothing")[0] == 404
    assert ask("POST", "/v1/challenges", {"authentication": "bau_unknown"})[0] == 404
    assert ask("GET", "/v1/operations", query={"key": "never-used"}) == (404, {"error": "unknown_operation"})
    assert ask("GET", "/v1/payments", query={"since": "x"})[0] == 400


def test_no_card_person_or_code_is_kept(store):
    """CB-18: of a card the bank remembers how it behaves, of a request a keyed hash."""
    secrets = {"number": card("challenged"), "name": "Canary Name", "phone": "+49151555", "expiry": "2031-07"}
    _, challenge = ask("POST", "/v1/authentications", asked("challenged") | secrets)
    ask("POST", "/v1/challenge-answers", {"authentication": challenge["reference"], "code": "123456"}, key="k2")
    kept = json.dumps(store.rows("sandbox_bank"))
    assert "bau_" in kept
    assert not [secret for secret in (*secrets.values(), "123456") if secret in kept]
