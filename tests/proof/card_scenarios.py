"""Scenarios of cards: what their owners do, what the state machine's tasks do, and what banks tell."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import urllib3

from billfold import clock, ids
from billfold.cards import card_holder_rows, card_rows
from billfold.tables.rows import fetch
from billfold.vault import vault_rows
from sandbox_bank import authentications, callbacks
from sandbox_bank import rows as bank_rows
from tests.proof.harness import Harness, Outcome, ago, happening, http, message, task
from tests.proof.plays import Occasion, Scenario
from tests.proof.wallet_scenarios import WRONG_PIN
from tests.world import PIN, Person, call, joined
from tests.world.card_world import TOKEN, Case, number
from tests.world.photo_world import started

WRONG_CODE = "999999"


def has_token(card: str) -> bool:
    """Whether the card's head, and it alone, knows what the bank lets it be charged by."""
    head = fetch(card_rows.head(card))
    return bool(head and head.token)


def waiting(harness: Harness, behaviour: str) -> Case:
    """A person with a card whose execution waits for a word."""
    person, card = harness.cards.bound(behaviour)
    harness.cards.machines.start(card, {"card": card})
    harness.cards.machines.run()
    assert [one.name for one in harness.cards.machines.waiting()] == [card]
    return person, card


def _state(harness: Harness, case: Case, state: str) -> Callable[[], None]:
    def effect() -> None:
        assert harness.cards.seen(*case)["state"] == state

    return effect


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


# -------------------------------------------------------------------------------------------------------- their owners


def _bind(
    harness: Harness, person: Person, expected: str, *, year: int = 2031, cards: int = 1, **named: str
) -> Occasion:
    def effect() -> None:
        listed = call("GET", "/v1/cards", person).body["items"]
        assert len(listed) == cards
        if listed:
            assert (listed[0]["state"], listed[0]["expiry"]["year"]) == (expected, year)

    def arrive(key: str = "bind") -> Outcome:
        body = {"expiry": {"year": year, "month": 7}, **named}
        answer = harness.cards.bind(person, number("approved"), key=key, body=body)
        return Outcome(answer.status, answer.body, tuple(answer.headers.items()))

    return Occasion(arrive, effect)


def _binds(harness: Harness) -> Occasion:
    return _bind(harness, joined(), "created")


def _binds_by_a_photo(harness: Harness) -> Occasion:
    person = joined()
    return _bind(harness, person, "created", photo=started(person))


def _binds_by_anothers_photo(harness: Harness) -> Occasion:
    return _bind(harness, joined(), "", cards=0, photo=started(joined()))


def _binds_what_another_has(harness: Harness) -> Occasion:
    harness.cards.bound()
    return _bind(harness, joined(), "created")


def _binds_again(harness: Harness) -> Occasion:
    person, _ = harness.cards.active()
    return _bind(harness, person, "active")


def _binds_again_with_a_later_expiry(harness: Harness) -> Occasion:
    person, _ = harness.cards.active()
    return _bind(harness, person, "active", year=2034)


def _binds_what_three_have(harness: Harness) -> Occasion:
    for _ in range(3):
        harness.cards.bound()
    return _bind(harness, joined(), "", cards=0)


def _binds_too_many(harness: Harness) -> Occasion:
    person = joined()
    for rest in range(2, 12):
        assert harness.cards.bind(person, number("approved", rest)).status == 201
    return _bind(harness, person, "created", cards=10)


def _lists(harness: Harness) -> Occasion:
    person, _ = harness.cards.bound()
    return Occasion(http("GET", "/v1/cards", person), _nothing)


def _shows(harness: Harness) -> Occasion:
    person, card = harness.cards.challenged()
    return Occasion(http("GET", f"/v1/cards/{card}", person), _nothing)


def _answer(case: Case, code: str, *, refused: int, verdict: str = "challenge", tries: int = 0) -> Occasion:
    person, card = case

    def effect() -> None:
        found = card_rows.load(card).present
        assert (found.challenge.tries, found.challenge.refused) == (tries or max(1, refused), refused)
        assert (found.verdict, has_token(found.card_id)) == (verdict, verdict == "approved")

    return Occasion(http("POST", f"/v1/cards/{card}/challenge", person, {"code": code}, key="code"), effect)


def _gives_the_code(harness: Harness) -> Occasion:
    return _answer(harness.cards.challenged(), "123456", refused=0, verdict="approved")


def _gives_a_wrong_code(harness: Harness) -> Occasion:
    return _answer(harness.cards.challenged(), WRONG_CODE, refused=1)


def _four_wrong(harness: Harness) -> Case:
    person, card = harness.cards.challenged()
    for _ in range(4):
        assert harness.cards.answer(person, card, WRONG_CODE).status == 403
    return person, card


def _gives_a_fifth_wrong_code(harness: Harness) -> Occasion:
    return _answer(_four_wrong(harness), WRONG_CODE, refused=5)


def _gives_a_sixth_code(harness: Harness) -> Occasion:
    person, card = _four_wrong(harness)
    assert harness.cards.answer(person, card, WRONG_CODE).status == 403
    return _answer((person, card), "123456", refused=5)


def _gives_the_code_again(harness: Harness) -> Occasion:
    """The bank's answer to the code was lost once; the same request comes again."""
    person, card = harness.cards.challenged("code_answer_lost")
    assert harness.cards.answer(person, card, key="code").status == 503
    return _answer((person, card), "123456", refused=0, verdict="approved")


def _opens_the_page(harness: Harness) -> Occasion:
    """The owner has confirmed on it, and her phone asks how it stands."""
    person, card = harness.cards.challenged("paged")
    answer = call("POST", f"/v1/cards/{card}/challenge/page", person, phone=person.phone)
    confirmed = urllib3.request("POST", answer.body["challenge"]["page"]["url"], json={"confirm": True})
    assert confirmed.status == 200

    def effect() -> None:
        found = card_rows.load(card).present
        assert (found.verdict, has_token(found.card_id)) == ("approved", True)

    return Occasion(http("POST", f"/v1/cards/{card}/challenge/page", person, phone=person.phone, key="page"), effect)


def _resend(case: Case, sent: int) -> Occasion:
    person, card = case

    def effect() -> None:
        assert card_rows.load(card).present.challenge.sent == sent

    return Occasion(http("POST", f"/v1/cards/{card}/challenge/resend", person, key="resend"), effect)


def _resends(harness: Harness) -> Occasion:
    with ago(minutes=2):
        case = harness.cards.challenged()
    return _resend(case, 2)


def _resends_too_soon(harness: Harness) -> Occasion:
    return _resend(harness.cards.challenged(), 1)


def _remove(harness: Harness, case: Case, state: str, pin: str = PIN) -> Occasion:
    person, card = case

    def effect() -> None:
        assert harness.cards.seen(person, card)["state"] == state
        assert (sealed(card) is None) == (state in ("removed", "cancelled"))

    return Occasion(http("DELETE", f"/v1/cards/{card}", person, {"pin": pin}), effect)


def sealed(card: str) -> Any:
    """What the vault holds of a card, by its parts, or None."""
    return fetch(vault_rows.sealed(card))


def _removes(harness: Harness) -> Occasion:
    return _remove(harness, harness.cards.active(), "removed")


def _removes_after_a_wrong_try(harness: Harness) -> Occasion:
    person, card = harness.cards.active()
    assert harness.cards.remove(person, card, WRONG_PIN).status == 403
    return _remove(harness, (person, card), "removed")


def _gives_up(harness: Harness) -> Occasion:
    return _remove(harness, harness.cards.challenged(), "cancelled")


def _removes_with_a_wrong_pin(harness: Harness) -> Occasion:
    return _remove(harness, harness.cards.active(), "active", WRONG_PIN)


def _removes_a_busy_one(harness: Harness) -> Occasion:
    person, card = harness.cards.active()
    assert harness.cards.top_up(person, card).status == 202
    return _remove(harness, (person, card), "active")


# --------------------------------------------------------------------------------------------------- the state machine


def _checks(harness: Harness) -> Occasion:
    case = harness.cards.bound()
    return Occasion(task("check_card", case[1]), _state(harness, case, "authenticating"))


def _checks_what_has_expired(harness: Harness) -> Occasion:
    with ago(days=40):
        today = datetime.fromtimestamp(clock.now() / 1_000, UTC)
        case = harness.cards.bound(body={"expiry": {"year": today.year, "month": today.month}})
    return Occasion(task("check_card", case[1]), _state(harness, case, "invalid"))


def _checks_what_is_over(harness: Harness) -> Occasion:
    person, card = harness.cards.bound()
    assert harness.cards.remove(person, card).status == 204
    return Occasion(task("check_card", card), _state(harness, (person, card), "cancelled"))


def _ask(case: Case, verdict: str) -> Occasion:
    def effect() -> None:
        found = card_rows.load(case[1]).present
        assert (found.verdict, has_token(found.card_id)) == (verdict, verdict == "approved")
        assert found.fields_sent

    return Occasion(task("ask_bank", case[1]), effect)


def _asks(behaviour: str, verdict: str) -> Callable[[Harness], Occasion]:
    def prepare(harness: Harness) -> Occasion:
        person, card = harness.cards.bound(behaviour)
        assert harness.cards.work("check_card", card) == "ask"
        return _ask((person, card), verdict)

    return prepare


def _asks_again(harness: Harness) -> Occasion:
    return _ask(harness.cards.asked("told_thrice"), "approved")


def _asks_what_it_never_heard(harness: Harness) -> Occasion:
    """The bank has failed and knows nothing, so that it is asked to authenticate again."""
    person, card = harness.cards.asked("failing")
    assert harness.cards.work("ask_bank", card) == "unknown"
    return _ask((person, card), "approved")


def _asks_what_it_knows(harness: Harness) -> Occasion:
    return _ask(harness.cards.asked(), "approved")


def _awaits(harness: Harness) -> Occasion:
    case = harness.cards.asked("silent")

    def effect() -> None:
        assert card_rows.waiting(case[1]) == TOKEN

    return Occasion(task("await_bank", case[1], token=TOKEN), effect)


def _token(harness: Harness, card: str) -> str:
    return harness.cards.machines.executions[card].token


def _resumed(harness: Harness, card: str, *, goes_on: bool = True) -> Callable[[], None]:
    def effect() -> None:
        assert harness.cards.machines.executions[card].answered is goes_on

    return effect


def _awaits_what_has_come(harness: Harness) -> Occasion:
    with ago(minutes=1):
        _, card = waiting(harness, "late")
    assert hear(card)().status == 204
    return Occasion(task("await_bank", card, token=_token(harness, card)), _resumed(harness, card))


def _sends(harness: Harness) -> Occasion:
    case = harness.cards.asked("challenged")

    def effect() -> None:
        assert (card_rows.waiting(case[1]), card_rows.load(case[1]).present.challenge.sent) == (TOKEN, 1)

    return Occasion(task("send_challenge", case[1], token=TOKEN), effect)


def _sends_no_more(harness: Harness) -> Occasion:
    person, card = waiting(harness, "challenged")
    assert harness.cards.answer(person, card).status == 200
    return Occasion(task("send_challenge", card, token=_token(harness, card)), _resumed(harness, card))


def _activates(harness: Harness) -> Occasion:
    case = harness.cards.asked()

    def effect() -> None:
        assert harness.cards.seen(*case)["state"] == "active"
        assert set(sealed(case[1])) == {vault_rows.NUMBER}

    return Occasion(task("activate_card", case[1]), effect)


def _activates_nothing(harness: Harness) -> Occasion:
    person, card = harness.cards.asked()
    assert harness.cards.remove(person, card).status == 204
    return Occasion(task("activate_card", card), _state(harness, (person, card), "cancelled"))


def _end(harness: Harness, case: Case, state: str) -> Occasion:
    def effect() -> None:
        assert harness.cards.seen(*case)["state"] == state
        assert sealed(case[1]) is None

    return Occasion(task("end_card", case[1]), effect)


def _expires(harness: Harness) -> Occasion:
    with ago(hours=3):
        case = harness.cards.bound()
    ends = _end(harness, case, "expired")
    return Occasion(message("expire_cards", case[1]), ends.effect)


def _expires_what_was_approved(harness: Harness) -> Occasion:
    with ago(hours=3):
        case = harness.cards.asked()
    ends = _end(harness, case, "expired")
    return Occasion(message("expire_cards", case[1]), ends.effect)


def _expires_an_unanswered_code(harness: Harness) -> Occasion:
    with ago(hours=3):
        case = harness.cards.challenged()
    ends = _end(harness, case, "declined")
    return Occasion(message("expire_cards", case[1]), ends.effect)


def _expires_nothing(harness: Harness) -> Occasion:
    case = harness.cards.challenged()
    return Occasion(message("expire_cards", case[1]), _state(harness, case, "challenged"))


def _finds_cards(harness: Harness) -> Occasion:
    with ago(hours=3):
        cases = [harness.cards.bound(rest=rest) for rest in range(1, 3)]

    def effect() -> None:
        assert [harness.cards.seen(*case)["state"] for case in cases] == ["expired"] * 2

    return Occasion(happening("find_due_cards", {}), effect)


def _ends_declined(harness: Harness) -> Occasion:
    return _end(harness, harness.cards.asked("mismatched"), "declined")


def _ends_unanswered(harness: Harness) -> Occasion:
    with ago(minutes=16):
        case = harness.cards.asked("silent")
    return _end(harness, case, "expired")


def _ends_after_five_codes(harness: Harness) -> Occasion:
    person, card = _four_wrong(harness)
    assert harness.cards.answer(person, card, WRONG_CODE).status == 403
    ends = _end(harness, (person, card), "declined")

    def effect() -> None:
        ends.effect()
        assert harness.cards.bind(person, number("challenged")).status == 429

    return Occasion(ends.arrive, effect)


def _ends_nothing(harness: Harness) -> Occasion:
    person, card = harness.cards.bound()
    assert harness.cards.remove(person, card).status == 204
    return _end(harness, (person, card), "cancelled")


def _starts(harness: Harness) -> Occasion:
    _, card = harness.cards.bound()

    def effect() -> None:
        execution = harness.cards.machines.executions[card]
        assert (execution.input, execution.state) == (json.dumps({"card": card}, separators=(",", ":")), "CheckCard")

    return Occasion(message("start_authentication", card), effect)


def _resumes(harness: Harness) -> Occasion:
    person, card = waiting(harness, "challenged")
    assert harness.cards.answer(person, card).status == 200
    return Occasion(message("resume_authentication", card), _resumed(harness, card))


def _resumes_nothing_new(harness: Harness) -> Occasion:
    _, card = waiting(harness, "challenged")
    return Occasion(message("resume_authentication", card), _resumed(harness, card, goes_on=False))


def _resumes_nobody(harness: Harness) -> Occasion:
    case = harness.cards.asked()
    return Occasion(message("resume_authentication", case[1]), _state(harness, case, "authenticating"))


# ------------------------------------------------------------------------------------------------------------- the bank


def hear(card: str, **changed: str) -> Callable[[], Outcome]:
    """What the bank tells of a card's authentication, as it would tell it now."""
    row = bank_rows.authentication(ids.derived("bau", f"{card}/authentication"))
    assert row
    return told(authentications.shown(authentications.present(row, clock.now())) | changed)


def told(word: dict[str, Any]) -> Callable[[], Outcome]:
    """A callback of the bank, signed when it is delivered."""
    body = json.dumps(word)

    def arrive() -> Outcome:
        headers = callbacks.signed(word["reference"], body)
        return http("POST", "/v1/banks/sandbox/callbacks", raw=body, headers=headers, key="")()

    return arrive


def _heard(card: str, arrive: Callable[[], Outcome], verdict: str) -> Occasion:
    def effect() -> None:
        assert card_rows.load(card).present.verdict == verdict

    return Occasion(arrive, effect)


def _hears_an_approval(harness: Harness) -> Occasion:
    with ago(minutes=1):
        _, card = harness.cards.asked("late")
    return _heard(card, hear(card), "approved")


def _hears_it_again(harness: Harness) -> Occasion:
    _, card = harness.cards.asked()
    return _heard(card, hear(card), "approved")


def _hears_a_refusal(harness: Harness) -> Occasion:
    with ago(minutes=1):
        _, card = harness.cards.asked("late")
    return _heard(card, hear(card, outcome="declined", reason="do_not_honour"), "declined")


def _too_late(harness: Harness) -> Case:
    with ago(minutes=1):
        person, card = harness.cards.asked("late")
        assert harness.cards.remove(person, card).status == 204
    return person, card


def _hears_too_late(harness: Harness) -> Occasion:
    _, card = _too_late(harness)

    def effect() -> None:
        found = card_rows.load(card).present
        assert (found.state, bool(found.late_reference)) == ("cancelled", True)

    return Occasion(hear(card), effect)


def _withdraw(card: str, *, withdrawn: bool) -> Occasion:
    def effect() -> None:
        assert card_rows.load(card).present.withdrawn is withdrawn
        row = bank_rows.authentication(ids.derived("bau", f"{card}/authentication"))
        assert row
        assert row.withdrawn is withdrawn

    return Occasion(message("withdraw_approval", card), effect)


def _withdraws_what_came_late(harness: Harness) -> Occasion:
    _, card = _too_late(harness)
    assert hear(card)().status == 204
    return _withdraw(card, withdrawn=True)


def _withdraws_what_the_owner_gave_up(harness: Harness) -> Occasion:
    person, card = harness.cards.asked()
    assert harness.cards.remove(person, card).status == 204
    return _withdraw(card, withdrawn=True)


def _withdraws_what_nobody_heard(harness: Harness) -> Occasion:
    """Its callback was lost: only asking tells that there is an approval."""
    return _withdraw(_too_late(harness)[1], withdrawn=True)


def _asks_a_silent_bank_later(harness: Harness) -> Occasion:
    person, card = harness.cards.asked("silent")
    assert harness.cards.remove(person, card).status == 204

    def effect() -> None:
        assert not card_rows.load(card).present.withdrawn

    return Occasion(message("withdraw_approval", card), effect)


def _withdraws_nothing(harness: Harness) -> Occasion:
    return _withdraw(harness.cards.active()[1], withdrawn=False)


# ------------------------------------------------------------------------------------------------- clockwork and streams


def _generation(card: str, generation: str) -> Callable[[], None]:
    def effect() -> None:
        assert sealed(card)[vault_rows.NUMBER].generation == generation

    return effect


def _reseals(harness: Harness) -> Occasion:
    person, card = harness.cards.active()

    def effect() -> None:
        _generation(card, "2")()
        new = card_rows.load(card).present.fingerprint
        holders = fetch(card_holder_rows.holders([old, new]))
        assert holders.by_fingerprint == {old: {}, new: {person.user_id: card}}

    old = card_rows.load(card).present.fingerprint
    return Occasion(message("reseal_card", card), effect)


def _reseals_with_its_person(harness: Harness) -> Occasion:
    case = harness.cards.asked("challenged")
    return Occasion(message("reseal_card", case[1]), _generation(case[1], "2"))


def _reseals_nothing(harness: Harness) -> Occasion:
    case = harness.cards.active()
    return Occasion(message("reseal_card", case[1]), _generation(case[1], "1"))


def _finds_old_seals(harness: Harness) -> Occasion:
    cards = [harness.cards.active()[1], harness.cards.bound("challenged")[1]]

    def effect() -> None:
        assert [sealed(card)[vault_rows.NUMBER].generation for card in cards] == ["2", "2"]

    return Occasion(happening("find_old_seals", {}), effect)


def _forwards(harness: Harness) -> Occasion:
    """Whole lives: one is linked, one is given up after its approval."""
    linked, card = harness.cards.active()
    person, given_up = harness.cards.asked()
    assert harness.cards.remove(person, given_up).status == 204

    def effect() -> None:
        told = call("GET", "/v1/events", linked).body["items"]
        assert [event["type"] for event in told] == ["card.created", "card.linked"]
        assert sorted(harness.cards.machines.executions) == sorted([card, given_up])
        assert card_rows.load(given_up).present.withdrawn

    return Occasion(happening("forward_card_changes", harness.records("cards")), effect)


ALL = (
    Scenario("bind_card", "a new one", _binds, 201),
    Scenario("bind_card", "by a photo of it", _binds_by_a_photo, 201),
    Scenario("bind_card", "by another's photo", _binds_by_anothers_photo, 404),
    Scenario("bind_card", "a second holder", _binds_what_another_has, 201),
    Scenario("bind_card", "the one that is linked", _binds_again),
    Scenario("bind_card", "the same with a later expiry", _binds_again_with_a_later_expiry),
    Scenario("bind_card", "a fourth holder", _binds_what_three_have, 409),
    Scenario("bind_card", "an eleventh card", _binds_too_many, 429),
    Scenario("list_cards", "one", _lists),
    Scenario("get_card", "with its challenge", _shows),
    Scenario("answer_challenge", "the right code", _gives_the_code),
    Scenario("answer_challenge", "a wrong code", _gives_a_wrong_code, 403),
    Scenario("answer_challenge", "a fifth wrong code", _gives_a_fifth_wrong_code, 403),
    Scenario("answer_challenge", "a sixth code", _gives_a_sixth_code, 409),
    Scenario("answer_challenge", "the code again, after a lost answer", _gives_the_code_again),
    Scenario("open_bank_page", "it was confirmed", _opens_the_page),
    Scenario("resend_challenge", "after a minute", _resends),
    Scenario("resend_challenge", "too soon", _resends_too_soon, 429),
    Scenario("remove_card", "one that is linked", _removes, 204),
    Scenario("remove_card", "after a wrong PIN", _removes_after_a_wrong_try, 204),
    Scenario("remove_card", "one under way", _gives_up, 204),
    Scenario("remove_card", "with a wrong PIN", _removes_with_a_wrong_pin, 403, again=(403,)),
    Scenario("remove_card", "while it pays", _removes_a_busy_one, 409),
    Scenario("check_card", "a new one", _checks),
    Scenario("check_card", "one that has expired since", _checks_what_has_expired),
    Scenario("check_card", "one that is over", _checks_what_is_over),
    Scenario("ask_bank", "approved", _asks("approved", "approved")),
    Scenario("ask_bank", "declined", _asks("mismatched", "declined")),
    Scenario("ask_bank", "challenge", _asks("challenged", "challenge")),
    Scenario("ask_bank", "told later", _asks_again),
    Scenario("ask_bank", "asked anew", _asks_what_it_never_heard),
    Scenario("ask_bank", "known", _asks_what_it_knows),
    Scenario("await_bank", "waits", _awaits),
    Scenario("await_bank", "the word has come", _awaits_what_has_come),
    Scenario("send_challenge", "sends", _sends),
    Scenario("send_challenge", "the code was given", _sends_no_more),
    Scenario("activate_card", "approved", _activates),
    Scenario("activate_card", "given up", _activates_nothing),
    Scenario("expire_cards", "never begun", _expires),
    Scenario("expire_cards", "approved, and nobody acted on it", _expires_what_was_approved),
    Scenario("expire_cards", "a code that nobody gave", _expires_an_unanswered_code),
    Scenario("expire_cards", "nothing due", _expires_nothing),
    Scenario("find_due_cards", "two due", _finds_cards, followed=True),
    Scenario("end_card", "declined", _ends_declined),
    Scenario("end_card", "no answer", _ends_unanswered),
    Scenario("end_card", "five wrong codes", _ends_after_five_codes),
    Scenario("end_card", "given up", _ends_nothing),
    Scenario("start_authentication", "starts", _starts),
    Scenario("resume_authentication", "the code was given", _resumes),
    Scenario("resume_authentication", "nothing new", _resumes_nothing_new),
    Scenario("resume_authentication", "nobody waits", _resumes_nobody),
    Scenario("receive_callback", "an approval", _hears_an_approval, 204),
    Scenario("receive_callback", "a refusal", _hears_a_refusal, 204),
    Scenario("receive_callback", "what is known", _hears_it_again, 204),
    Scenario("receive_callback", "too late", _hears_too_late, 204),
    Scenario("withdraw_approval", "a late one", _withdraws_what_came_late),
    Scenario("withdraw_approval", "one that the owner gave up", _withdraws_what_the_owner_gave_up),
    Scenario("withdraw_approval", "one that nobody has heard of", _withdraws_what_nobody_heard),
    Scenario("withdraw_approval", "one of a silent bank", _asks_a_silent_bank_later, 503),
    Scenario("withdraw_approval", "nothing", _withdraws_nothing),
    Scenario("reseal_card", "one that is linked", _reseals, vault_keys="2 1"),
    Scenario("reseal_card", "one under way", _reseals_with_its_person, vault_keys="2 1"),
    Scenario("reseal_card", "nothing", _reseals_nothing),
    Scenario("find_old_seals", "two", _finds_old_seals, followed=True, vault_keys="2 1"),
    Scenario("forward_card_changes", "two lives", _forwards, followed=True, streams=True),
)
