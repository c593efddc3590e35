"""Which of a bank's errors are answers, and which say nothing: both written down, and nothing forgotten (CB-13, CB-21)."""

import ast
import inspect
import json
import pathlib
import re

import pytest
import stripe as package
from stripe import _payment_intent, _setup_intent, oauth_error

import sandbox_bank
from billfold import banks
from billfold.banks import Payment, Verdict, reference_of
from billfold.banks import sandbox as sandbox_adapter
from billfold.banks.stripe_errors import ANSWERS, CODES_THAT_ANSWER, CODES_THAT_ANSWER_NOTHING, NO_ANSWERS
from tests.cloud.local_http import LocalServer
from tests.world.bank_fixtures import authentication

GOOD = "4242424242424242"


def kinds(kind: type) -> set[type]:
    return {kind}.union(*(kinds(below) for below in kind.__subclasses__()))


def codes(module: object, name: str) -> set[str]:
    """The codes that the package's own source names for an object's last error."""
    tree = ast.parse(inspect.getsource(module))
    (found,) = [one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == name]
    (code,) = [one for one in found.body if isinstance(one, ast.AnnAssign) and one.target.id == "code"]
    return {one.value for one in ast.walk(code.annotation) if isinstance(one, ast.Constant)}


def test_every_class_of_stripe_s_errors_is_an_answer_or_none():
    """A class that a new version of the package brings is to be judged before it is used."""
    assert oauth_error.OAuthError in kinds(package.StripeError)
    known = {kind for kind in kinds(package.StripeError) if not kind.__subclasses__() or kind in ANSWERS}
    known |= {package.APIError, oauth_error.OAuthError}
    silent = {kind.__name__ for kind in known if not issubclass(kind, ANSWERS)}
    assert silent == {*NO_ANSWERS.split(), "InvalidRequestError"}, (
        "OAuth's InvalidRequestError has the name of an answer"
    )


def test_every_code_of_stripe_s_is_an_answer_or_none():
    """Likewise; and none is both."""
    known = codes(_payment_intent, "LastPaymentError") | codes(_setup_intent, "LastSetupError")
    answers = set(CODES_THAT_ANSWER.split())
    assert not answers & CODES_THAT_ANSWER_NOTHING
    assert answers | CODES_THAT_ANSWER_NOTHING == known


def asked(monkeypatch, status, error):
    """What each operation of the adapter makes of one answer of Stripe's."""
    with LocalServer(lambda _: (status, json.dumps({"error": error}))) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        stripe = banks.bank("stripe")
        return (
            stripe.authenticate("key", authentication(GOOD)),
            stripe.charge("key", "cus_1/pm_1", 100, "USD", "chg_1"),
            stripe.refund("key", "pi_1", 100, "USD", "chg_2"),
        )


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"type": "invalid_request_error"}, "invalid_request"),
        (400, {"type": "invalid_request_error", "code": "charge_disputed"}, "charge_disputed"),
        (400, {"type": "invalid_request_error", "code": "amount_too_small"}, "amount_too_small"),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}, "resource_missing"),
        (400, {"type": "invalid_request_error", "code": "a_code_of_tomorrow"}, "a_code_of_tomorrow"),
        (402, {"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}, "lost_card"),
        (402, {"type": "card_error", "code": "processing_error"}, "processing_error"),
        (402, {"type": "card_error"}, "declined"),
    ],
)
def test_a_no_about_the_request_is_an_answer(monkeypatch, status, error, reason):
    """CB-21: else its money would be held until somebody looks, and its card could not go."""
    said = asked(monkeypatch, status, error)
    assert said == (Verdict("declined", reason=reason), *[Payment("declined", reason=reason)] * 2)


@pytest.mark.parametrize("code", sorted(CODES_THAT_ANSWER_NOTHING))
def test_a_fault_of_ours_is_not_told_as_the_bank_s_no(monkeypatch, code):
    """CB-13, decision 19: nobody's card is bad because our key is."""
    said = asked(monkeypatch, 400, {"type": "invalid_request_error", "code": code})
    assert said == (Verdict("unknown"), Payment("unknown"), Payment("unknown"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"type": "idempotency_error"}),
        (400, "invalid_request"),
        (401, {"type": "invalid_request_error"}),
        (403, {"type": "invalid_request_error", "code": "card_declined"}),
        (409, {"type": "invalid_request_error", "code": "lock_timeout"}),
        (429, {"type": "invalid_request_error", "code": "rate_limit"}),
        (500, {"type": "api_error", "code": "card_declined"}),
        (503, {}),
    ],
)
def test_silence_and_refused_keys_are_unknown(monkeypatch, status, error):
    """CB-13: whatever code comes with them."""
    assert asked(monkeypatch, status, error) == (Verdict("unknown"), Payment("unknown"), Payment("unknown"))


def test_every_error_of_the_sandbox_bank_is_an_answer_or_none():
    """Likewise; as the bank's own source names them."""
    source = "".join(file.read_text() for file in pathlib.Path(sandbox_bank.__path__[0]).glob("*.py"))
    known = {(int(status), name) for status, name in re.findall(r'(\d{3}), \{"error": "(\w+)"\}', source)}
    assert known == sandbox_adapter.ANSWERS | sandbox_adapter.NO_ANSWERS


@pytest.mark.parametrize(("status", "error"), sorted(sandbox_adapter.ANSWERS | sandbox_adapter.NO_ANSWERS))
def test_the_sandbox_bank_s_errors_are_read_by_the_table(monkeypatch, status, error):
    """CB-21: with the same errors under another status nothing is answered."""
    for sent in (status, 500):
        with LocalServer(lambda _, sent=sent: (sent, json.dumps({"error": error}))) as server:
            monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
            said = banks.bank("sandbox").charge("key", "token", 100, "USD", "chg_1")
        answer = sent == status and (status, error) in sandbox_adapter.ANSWERS
        assert said == (Payment("declined", reason=error) if answer else Payment("unknown"))


@pytest.mark.parametrize(
    "said", ["pay 1", "pay_1 extra", "pay_1\n", "", "ä", "a/b", "x" * 256, None, 7, [], {}, "\x00"]
)
@pytest.mark.parametrize("outcome", ["charged", "refunded", "approved"])
def test_a_success_without_a_readable_reference_is_unknown(monkeypatch, said, outcome):
    """CB-13: what cannot be named later is asked again; no such text goes into a message or a key."""
    assert reference_of(said) == ""
    body = json.dumps({"kind": "charge", "outcome": outcome, "reference": said, "token": "t"})
    with LocalServer(lambda _: (200, body)) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        bank = banks.bank("sandbox")
        assert bank.charge("key", "token", 100, "USD", "chg_1") == Payment("unknown")
        assert bank.authenticate("key", authentication(GOOD)) == Verdict("unknown")


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("C01X00T47", "0T47"),
        ("12345678", "5678"),
        ("1234567", "567"),
        ("1234", "34"),
        ("ABC", "C"),
        ("A-1", "1"),
        ("12 3-4", "34"),
    ],
)
def test_a_part_of_the_document_s_number_is_sent_and_never_the_whole(monkeypatch, document, sent):
    """CB-07: at most four, and at most half of it."""
    bodies = []

    def keep(received):
        bodies.append(json.loads(received.body))
        return 500, "{}"

    with LocalServer(keep) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        asked_about = authentication(GOOD, document_number=document)
        banks.bank("sandbox").authenticate("key", asked_about)
    assert bodies[0]["document_number_last4"] == sent


@pytest.mark.parametrize("status", ["pending", "requires_action", "", "of tomorrow"])
def test_a_refund_that_stripe_has_not_made_yet_is_not_done(monkeypatch, status):
    """CB-21: it is asked for again; only `succeeded` says that the money is on its way."""
    for said, outcome in ((status, "unknown"), ("succeeded", "refunded")):
        body = json.dumps({"id": "re_1", "object": "refund", "status": said})
        with LocalServer(lambda _, body=body: (200, body)) as server:
            monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
            assert banks.bank("stripe").refund("key", "pi_1", 100, "USD", "chg_1") == Payment(outcome, "re_1")
