"""PINs tried by many at once, on a real engine: three guesses are three, and an operation has one record and one answer.

What takes a PIN is found by its model, so that a new step without a race of its own fails here.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import time_machine

from billfold.people import people_rows
from billfold.tables.rows import fetch
from tests import world
from tests.proof.racing import books_balance, codes, race, stubborn
from tests.proof.scenarios import takes_pin
from tests.world import PIN, Person, Response, card_world, fund, joined, wallet
from tests.world.card_world import CardWorld

WRONG_PIN, NEW_PIN = "618243", "802713"
DIGITS = iter(range(1, 100_000))


@pytest.fixture
def cards(store, queues):
    with card_world.running(store, queues) as running:
        yield running


@pytest.fixture
def later():
    """Moves the clock on; it is right again after the test."""
    travels = []

    def move(**span):
        travels.append(time_machine.travel(datetime.now(UTC) + timedelta(**span), tick=True))
        travels[-1].start()

    yield move
    for travel in reversed(travels):
        travel.stop()


def send(payer: Person, payee: str, amount: int, *, key: str, pin: str = PIN) -> Response:
    body = {"to": payee, "amount": {"amount": amount, "currency": "USD"}, "reason": "race", "pin": pin}
    return world.call("POST", "/v1/transfers", payer, body, key=key)


# ---------------------------------------------------------------------------------------------- what takes a PIN, one by one


@dataclass
class Deed:
    """Something that a person's PIN allows: `act(pin, key)` does it, `done()` says whether it happened."""

    person: Person
    act: Callable[..., Response]
    done: Callable[[], bool]


Deeds = Callable[[], Deed]


def transfers(cards: CardWorld) -> Deeds:
    alice, bob = joined(), joined()
    fund(alice, 10_000)

    def another() -> Deed:
        before = wallet(bob)
        return Deed(
            alice, lambda pin, key="": send(alice, bob.user_id, 10, pin=pin, key=key), lambda: wallet(bob) > before
        )

    return another


def verifications(cards: CardWorld, *, by_card: bool = False) -> Deeds:
    alice, card = cards.active(rest=next(DIGITS)) if by_card else (joined(), None)
    fund(alice, 10_000)
    till = world.seller(terminals=1).tills[0]

    def another() -> Deed:
        bill = world.to_verify(alice, (till, 10))
        body = {"list_hash": bill["verification"]["list_hash"]} | ({"instrument": card} if card else {})

        def act(pin: str, key: str = "") -> Response:
            path = f"/v1/bills/{bill['id']}/verification"
            return world.call("POST", path, alice, body | {"pin": pin}, phone=alice.phone, key=key)

        return Deed(alice, act, lambda: world.shown(alice, bill["id"])["state"] in ("settled", "settling"))

    return another


def removals(cards: CardWorld) -> Deeds:
    def another() -> Deed:
        alice, card = cards.active(rest=next(DIGITS))

        # It has no key.
        def act(pin: str, key: str = "") -> Response:
            return cards.remove(alice, card, pin)

        return Deed(alice, act, lambda: cards.seen(alice, card)["state"] == "removed")

    return another


def changes(cards: CardWorld) -> Deeds:
    def another() -> Deed:
        alice = joined()

        def act(pin: str, key: str = "") -> Response:
            return world.call("PUT", "/v1/pin", alice, {"pin": NEW_PIN, "current_pin": pin})

        def done() -> bool:
            return world.call("PUT", "/v1/pin", alice, {"pin": NEW_PIN, "current_pin": NEW_PIN}).status == 204

        return Deed(alice, act, done)

    return another


KEYED: dict[str, Callable[[CardWorld], Deeds]] = {
    "post_transfer": transfers,
    "verify_bill": verifications,
    "verify_bill by card": partial(verifications, by_card=True),
}
KEYLESS: dict[str, Callable[[CardWorld], Deeds]] = {"remove_card": removals, "set_pin": changes}


def test_every_step_that_takes_a_pin_is_raced_here():
    """Found by their models, so that a step that takes a PIN and is not raced fails."""
    takers = {(name, module.handler.key) for name, module in world.STEPS.items() if takes_pin(name)}
    raced = {(name.split()[0], True) for name in KEYED} | {(name, False) for name in KEYLESS}
    assert takers == raced


@pytest.mark.parametrize("name", KEYED)
def test_a_right_and_a_wrong_pin_under_one_key_have_one_answer(store, cards, name):
    """LG-10: a hundred rounds at once; whichever came first is what both heard, what every repeat hears, and what happened."""
    another = KEYED[name](cards)
    for _ in range(100):
        deed, key = another(), str(uuid.uuid4())
        heard = race([stubborn(deed.act, pin, key=key) for pin in (WRONG_PIN, PIN)])
        heard += [deed.act(pin, key) for pin in (PIN, WRONG_PIN)]
        assert len({str((answer.status, answer.code)) for answer in heard}) == 1, heard
        assert deed.done() == (heard[0].status == 200 + (name == "post_transfer"))
        if not deed.done():
            assert heard[0].code == "pin_wrong"
            assert deed.act(PIN, str(uuid.uuid4())).status < 300
    books_balance(store)


def test_a_card_that_is_removed_with_the_right_pin_counts_no_wrong_one_after_it(store, cards):
    """CB-20, VB-15: with both at once, the wrong one was first and is forgiven, or it finds the card gone."""
    another = removals(cards)
    for _ in range(100):
        deed = another()
        right, wrong = race([stubborn(deed.act, PIN), stubborn(deed.act, WRONG_PIN)])
        assert right.status == 204
        assert fetch(people_rows.user(deed.person.user_id)).pin.tries == 0
        came_first = told(store, deed.person, "pin.wrong")
        assert (wrong.status, wrong.code) == ((403, "pin_wrong") if came_first else (204, ""))


def told(store, person: Person, kind: str) -> int:
    """How often somebody was told of this."""
    rows = [row for row in store.rows("outbox") if row["pk"]["S"] == person.user_id]
    return sum(row["kind"]["S"] == kind for row in rows)


@pytest.mark.parametrize("name", KEYED)
def test_after_a_wrong_pin_the_right_one_needs_a_new_key_and_is_told_so(store, cards, name, later):
    """LG-10, VB-15: also after the try that locked the PIN, whose answer is kept beyond the lock."""
    deed, keys = KEYED[name](cards)(), [str(uuid.uuid4()) for _ in range(3)]
    refused = [deed.act(WRONG_PIN, key) for key in keys]
    assert [answer.code for answer in refused] == ["pin_wrong", "pin_wrong", "pin_locked"]
    later(minutes=16)
    for key, answer in zip(keys, refused, strict=True):
        wait = "wait_and_use_a_new_key" if answer.code == "pin_locked" else "try_again_with_a_new_key"
        assert answer.body["next"] == wait
        kept = deed.act(PIN, key)
        assert (kept.status, kept.code, kept.body["next"]) == (403, answer.code, wait)
    assert not deed.done()
    assert deed.act(PIN, str(uuid.uuid4())).status < 300
    assert deed.done()


# ----------------------------------------------------------------------------------------------------------------- guesses


def counted(store) -> int:
    """How many wrong tries were ever counted."""
    rows = [row for row in store.rows("operations") if row["status"]["N"] == "403"]
    return sum('"pin_wrong"' in row["body"]["S"] or '"pin_locked"' in row["body"]["S"] for row in rows)


def guesses(right_at: int, number: int) -> list[str]:
    """Distinct PINs, the right one among them."""
    wrong = [f"{n:06d}" for n in range(100_000, 100_000 + number)]
    return [*wrong[:right_at], PIN, *wrong[right_at + 1 :]]


def test_a_hundred_guesses_at_once_are_three_guesses(store):
    """VB-15: no more than three wrong tries are judged before the lock, so a right one among them fares as in a queue."""
    alice, bob = joined(), joined()
    fund(alice, 1_000)
    answers = race([stubborn(send, alice, bob.user_id, 1, pin=pin) for pin in guesses(50, 100)])
    seen = codes(answers)
    right = answers[50].status == 201
    # Three in a row lock. A right guess in between starts the count anew, so at most two more come before it.
    judged = counted(store)
    assert 3 <= judged <= (5 if right else 3)
    assert seen == Counter({"201": int(right), "pin_wrong": judged - 1, "pin_locked": 101 - int(right) - judged})
    assert (told(store, alice, "pin.wrong"), told(store, alice, "pin.locked")) == (judged - 1, 1)
    late = [send(alice, bob.user_id, 1, key=str(uuid.uuid4())) for _ in range(3)]
    assert codes(late) == {"pin_locked": 3}
    assert all(int(answer.headers["Retry-After"]) > 800 for answer in late)
    assert wallet(alice) == 1_000 - int(right)
    books_balance(store)


def test_a_guess_learns_nothing_from_a_payment_that_cannot_be_made(store):
    """VB-15: without the money the right PIN is answered like every wrong one, so guessing this way is no way around the lock."""
    alice, bob = joined(), joined()
    fund(alice, 1)
    answers = race([stubborn(send, alice, bob.user_id, 999, pin=pin) for pin in guesses(20, 40)])
    assert codes(answers) == {"balance_too_low": 40}
    assert counted(store) == 0
    books_balance(store)


@pytest.mark.parametrize("right_at", [0, 20, 39])
def test_parallel_pin_changes_are_guesses_too(store, right_at):
    """VB-15: the current PIN cannot be found out by changing it forty times at once."""
    alice = joined()

    def change(pin: str, key: str = "") -> Response:
        return world.call("PUT", "/v1/pin", alice, {"pin": "802713", "current_pin": pin}, key=key)

    answers = race([stubborn(change, pin) for pin in guesses(right_at, 40)])
    seen = codes(answers)
    right = answers[right_at].status == 204
    wrong = seen["pin_wrong"]
    assert 2 <= wrong <= (4 if right else 2)
    assert seen == Counter({"204": int(right), "pin_wrong": wrong, "pin_locked": 40 - int(right) - wrong})
    assert (told(store, alice, "pin.wrong"), told(store, alice, "pin.locked")) == (wrong, 1)
    assert change("802713" if right else PIN).code == "pin_locked"


@pytest.mark.parametrize("name", [*KEYED, *KEYLESS])
@pytest.mark.parametrize("locked_before", [False, True], ids=["fresh", "a lock ran out"])
def test_sixty_guesses_at_once_are_three_guesses_whatever_they_are_tried_on(store, cards, name, locked_before):
    """VB-15: nothing brings a lock back that is over, nor undoes a new one: exactly three are judged, then all are told to wait."""
    deed = {**KEYED, **KEYLESS}[name](cards)()
    if locked_before:
        with time_machine.travel(datetime.now(UTC) - timedelta(minutes=20), tick=True):
            assert [deed.act(WRONG_PIN, str(uuid.uuid4())).code for _ in range(3)][-1] == "pin_locked"
    seen = codes(race([stubborn(deed.act, f"{n:06d}") for n in range(100_000, 100_060)]))
    assert seen == {"pin_wrong": 2, "pin_locked": 58}
    assert deed.act(PIN, str(uuid.uuid4())).code == "pin_locked"
