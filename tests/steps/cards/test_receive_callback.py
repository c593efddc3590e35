"""Taking what a bank tells."""

import base64
import hashlib
import hmac
import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billfold import clock, ids
from billfold.cards import card_rows
from billfold.cards.card_changes import Asked
from billfold.tables.commits import Commit
from sandbox_bank import authentications, callbacks, keys, rows
from tests import world
from tests.cloud import secret_store
from tests.cloud.local_http import LocalServer
from tests.world import call

PATH = "/v1/banks/sandbox/callbacks"


def word(card, **changed):
    """What the bank would tell of a card now."""
    row = rows.authentication(ids.derived("bau", f"{card}/authentication"))
    assert row
    return authentications.shown(authentications.present(row, clock.now())) | changed


def tell(told, path=PATH, *, forged=False, **headers):
    """Deliver it as the bank does, signed now."""
    body = json.dumps(told)
    signed = callbacks.signed(told["reference"], body, forged=forged)
    return call("POST", path, raw=body, headers=signed | headers, key="")


@pytest.fixture
def late(cards, later):
    """A card that its bank approved after it was asked in vain."""
    person, card = cards.asked("late")
    later(minutes=1)
    return person, card


def test_an_approval_is_recorded_once_and_the_machine_activates(cards, late):
    """CB-13: three copies are one change; the callback itself makes no card active."""
    person, card = late
    for _ in range(3):
        answer = tell(word(card))
        assert (answer.status, answer.body) == (204, None)
    found = card_rows.load(card)
    assert found.present.verdict == "approved"
    assert len([change for change in found.changes if type(change).__name__ == "Answered"]) == 2
    assert cards.seen(person, card)["state"] == "authenticating"
    assert cards.work("activate_card", card) == "active"


def test_a_late_approval_never_activates(cards, late):
    """CB-14: it is recorded, and taken back at the bank by what follows."""
    person, card = late
    assert cards.remove(person, card).status == 204
    assert tell(word(card)).status == 204
    assert cards.seen(person, card)["state"] == "cancelled"
    assert card_rows.load(card).present.late_reference


def test_an_approval_that_contradicts_a_decline_is_taken_back_whenever_the_machine_ends_the_card(cards, late):
    """CB-14: a decline is told first, an approval second, and only then does the machine act."""
    person, card = late
    approved = word(card)
    declined = json.dumps(approved | {"outcome": "declined", "token": None})
    assert call("POST", PATH, raw=declined, headers=callbacks.signed("evt_other", declined), key="").status == 204
    assert tell(approved).status == 204
    assert card_rows.load(card).present.late_reference == approved["reference"]
    cards.settle()
    assert card_rows.load(card).present.withdrawn
    assert cards.seen(person, card)["state"] == "declined"
    assert rows.authentication(approved["reference"]).withdrawn


@pytest.mark.parametrize("spoil", ["forged", "unsigned", "changed", "stale"])
def test_what_the_bank_did_not_sign_now_is_refused(late, spoil):
    """CB-14, XX-05: 401, and nothing changes."""
    _, card = late
    body = json.dumps(word(card))
    signed = callbacks.signed("evt", body, forged=spoil == "forged")
    if spoil == "unsigned":
        del signed["Webhook-Signature"]
    if spoil == "changed":
        body = body.replace("approved", "approved ")
    if spoil == "stale":
        signed["Webhook-Timestamp"] = str(int(signed["Webhook-Timestamp"]) - 3_600)
    answer = call("POST", PATH, raw=body, headers=signed, key="")
    assert (answer.status, answer.code) == (401, "callback_refused")
    assert card_rows.load(card).present.verdict == "unknown"


def test_a_word_about_another_authentication_is_not_found(cards, late):
    """CB-12: an unknown card, one that was not asked about, and another reference than the bank's own."""
    _, card = late
    _, fresh = cards.bound()
    _, known = cards.asked("challenged")
    assert tell(word(card, merchant_reference="crd_unknown")).status == 404
    assert tell(word(card, merchant_reference=fresh)).status == 404
    assert tell(word(card, merchant_reference=known)).status == 404
    assert card_rows.load(known).present.verdict == "challenge"


@pytest.mark.parametrize("bank", ["nobody", "stripe", "banks", "issuers", "os", "crd_0199a5c2d1b07f4e8a3b2c1d0e9f8a7b"])
def test_a_bank_that_serves_nobody_here_is_not_found(late, bank):
    """CB-08, XX-05: whatever it signs; also one that has an adapter, whose settings this stage has not."""
    answer = tell(word(late[1]), f"/v1/banks/{bank}/callbacks")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.fixture
def both(cards, monkeypatch):
    """A stage that both banks serve."""
    monkeypatch.setenv("BILLFOLD_ISSUERS", os.environ["BILLFOLD_ISSUERS"] + " 9=stripe")
    nothing = json.dumps({"error": {"type": "invalid_request_error", "code": "resource_missing"}})
    with LocalServer(lambda _: (404, nothing)) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        yield cards


def signed_by(bank, body, *, at="", event_id="evt_1"):
    """The headers that this bank would sign this text with, its time and id as they are given."""
    at, text = at or str(int(time.time())), body.encode(errors="surrogatepass")
    if bank == "stripe":
        digest = hmac.new(secret_store.STRIPE_WEBHOOK.encode(), at.encode() + b"." + text, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={at},v1={digest}"}
    said = f"{event_id}.{at}.".encode(errors="replace") + body.encode(errors="replace")
    digest = base64.b64encode(hmac.new(keys.derived("callbacks"), said, hashlib.sha256).digest()).decode()
    return {"Webhook-Id": event_id, "Webhook-Timestamp": at, "Webhook-Signature": f"v1,{digest}"}


NAMES = ("Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Stripe-Signature", "Content-Type", "X-Other")
TIMES = ("9" * 5_000, "-1", "1e9", "٣", "²", "0x10", "nan", " 1", "1 ", "", "\x00", "t=1,t=2", str(2**63), "1" * 12)
odd_text = st.text(max_size=40) | st.sampled_from(TIMES)
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd_text | st.just("crd_1 x") | st.just("pay 1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)


def fields(**known):
    """An object whose known fields are right, odd or missing."""
    return st.fixed_dictionaries({}, optional={name: odd | st.sampled_from(right) for name, right in known.items()})


sandbox_words = fields(
    kind=["authentication", "charge", "refund"],
    merchant_reference=["", "crd_1", "chg_1"],
    reference=["bau_1", "pay_1"],
    outcome=["approved", "declined", "charged", "refunded"],
    token=["t"],
    reason=["", "x" * 90],
    tries_left=[4],
)
stripe_objects = fields(
    id=["seti_1", "pi_1", "re_1"],
    status=["succeeded", "failed", "canceled", "requires_action"],
    customer=["cus_1"],
    payment_method=["pm_1"],
    payment_intent=["pi_1"],
    metadata=[{}, {"billfold_about": "crd_1"}, {"billfold_about": "chg_1"}, {"billfold_about": "chg 1"}],
    last_setup_error=[{"code": "x"}],
    last_payment_error=[{"code": "x"}],
)
TOLD = [
    "setup_intent.succeeded",
    "payment_intent.succeeded",
    "refund.failed",
    "charge.dispute.created",
    "charge.updated",
]
stripe_words = fields(id=["evt_1"], type=TOLD, data=[{}]).flatmap(
    lambda told: st.just(told) | stripe_objects.map(lambda one: told | {"data": {"object": one}})
)
WORDS = {"sandbox": sandbox_words, "stripe": stripe_words}
bodies = st.sampled_from(
    ["", "[", "[]", "null", '"x"', "{}", "[" * 3_000, "\ud800", '{"a":"\ud800"}', "1e999", "9" * 5_000]
)
EVERY = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
# Success, what is none of the bank's, what is none of ours.
USUAL = {204, 401, 404}


@pytest.mark.parametrize("bank", ["sandbox", "stripe"])
@EVERY
@given(st.data())
def test_whatever_header_anybody_sends_is_refused(both, bank, data):
    """CB-13: 401 and never a fault of ours: huge, negative and no numbers, other alphabets' digits, half characters."""
    sent = data.draw(st.dictionaries(st.sampled_from(NAMES), odd_text, max_size=6))
    sound = signed_by(bank, "{}")
    changed = sound | {name: text for name, text in sent.items() if name in sound}
    for headers in (sent, changed) if changed != sound else (sent,):
        answer = call("POST", f"/v1/banks/{bank}/callbacks", raw="{}", headers=headers, key="")
        assert answer.status == 401, (headers, answer)


@pytest.mark.parametrize("bank", ["sandbox", "stripe"])
@EVERY
@given(st.data())
def test_whatever_a_bank_signs_is_taken_or_refused_and_queues_nothing_unknown(both, bank, data):
    """CB-13: a signed text with spaces, other types or nothing where a reference stands is no fault and no dead letter."""
    words = WORDS[bank].map(json.dumps) | bodies
    body, at = data.draw(words), data.draw(st.sampled_from(["", *TIMES]))
    before = waiting(both.queues)
    headers = signed_by(bank, body, at=at, event_id=data.draw(odd_text | st.just("evt_1")))
    answer = call("POST", f"/v1/banks/{bank}/callbacks", raw=body, headers=headers, key="")
    assert answer.status in USUAL, answer
    assert waiting(both.queues) == before


@pytest.mark.parametrize("body", ["%%%", "/w==", "gA", "é"])
def test_a_body_that_is_no_text_is_refused(both, body):
    """CB-13: as the gateway hands binary on: it is nobody's signed word."""
    for bank in ("sandbox", "stripe"):
        module, event = world.event(
            "POST", f"/v1/banks/{bank}/callbacks", raw=body, headers=signed_by(bank, "{}"), key=""
        )
        answer = module.handler(event | {"isBase64Encoded": True}, None)
        assert answer["statusCode"] == 401, answer


def test_a_payment_s_word_is_for_charges_that_this_bank_was_asked_for(both):
    """CB-21: an unknown charge and another bank's are not found; nothing is queued that would end as a dead letter."""
    person, card = both.active()
    charge, before = both.top_up(person, card).body["id"], waiting(both.queues)
    told = {"kind": "charge", "outcome": "charged", "reference": "pay_1"}
    assert tell(told | {"merchant_reference": "chg_unknown"}).status == 404
    one = {"id": "pi_1", "status": "succeeded", "metadata": {"billfold_about": charge}}
    body = json.dumps({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": one}})
    answer = call("POST", "/v1/banks/stripe/callbacks", raw=body, headers=signed_by("stripe", body), key="")
    assert answer.status == 404
    assert waiting(both.queues) == before
    assert tell(told | {"merchant_reference": charge}).status == 204
    assert waiting(both.queues) == before + 1


def waiting(queues):
    """How many messages the queue of charges has."""
    address = os.environ["BILLFOLD_QUEUE_CHARGES"]
    found = queues.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def test_a_refusal_is_heard_too(cards, late):
    """CB-13: and the machine ends the card."""
    person, card = late
    assert tell(word(card, outcome="declined", reason="do_not_honour")).status == 204
    assert cards.work("end_card", card) == "declined"
    assert "reason" not in cards.seen(person, card)


@pytest.mark.parametrize("kind", ["authentication", "charge"])
def test_what_is_none_of_ours_is_taken_and_forgotten(cards, queues, kind):
    """CB-13: a bank that tells of other business of the same account is not to tell it again and again."""
    body = json.dumps(
        {"kind": kind, "merchant_reference": "", "reference": "bau_1", "outcome": "approved", "token": "t"}
    )
    before = waiting(queues)
    answer = call("POST", PATH, raw=body, headers=callbacks.signed("bau_1", body), key="")
    assert answer.status == 204, answer
    assert waiting(queues) == before, "SQS takes no empty message, so the bank would hear 503"


def test_a_word_about_a_card_of_another_bank_is_not_found(cards, monkeypatch):
    """CB-08, CB-14: a bank that serves this stage speaks of its own cards alone, however well it signs."""
    monkeypatch.setenv("BILLFOLD_ISSUERS", os.environ["BILLFOLD_ISSUERS"].replace("4=sandbox", "4=stripe"))
    _, card = cards.bound()
    commit = Commit(card)
    card_rows.add_change(commit, card_rows.load(card).present, Asked(at=clock.now(), fields_sent=["number"]))
    commit.send()
    found = card_rows.load(card).present
    assert found.bank == "stripe"
    approved = {"kind": "authentication", "merchant_reference": card, "reference": "bau_1", "outcome": "approved"}
    assert tell(approved | {"token": "t"}).status == 404
    assert card_rows.load(card).present == found
