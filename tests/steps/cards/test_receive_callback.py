"""Taking what a bank tells."""

import json
import os

import pytest

from billfold import clock, ids
from billfold.tables import card_rows
from sandbox_bank import authentications, callbacks, rows
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


def test_a_bank_that_nobody_knows_is_not_found(late):
    """CB-08: whatever it signs."""
    assert tell(word(late[1]), "/v1/banks/nobody/callbacks").status == 404


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
    answer = call("POST", PATH, raw=body, headers=callbacks.signed("bau_1", body), key="")
    assert answer.status == 204, answer
    address = os.environ["BILLFOLD_QUEUE_CHARGES"]
    found = queues.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
    assert found["ApproximateNumberOfMessages"] == "0", "SQS takes no empty message, so the bank would hear 503"
