"""Rivals: what somebody else may commit between a step's reads and its write, found in the ground on which a scenario stands.

    for rival in rivals.found(play): rival.act()

Each acts on one user, merchant, phone, terminal, bill or card; a rival that has nothing to do (a phone with an open bill is not
removed) changes nothing.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from billfold import bills, cards, clock, people
from billfold.bills import bill_rows
from billfold.cards import card_end_rows, card_rows
from billfold.errors import Refusal, Stale
from billfold.people import people_rows, pins
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from infra.operations import suspensions
from tests import world
from tests.proof.ground import State
from tests.proof.plays import Play
from tests.proof.wire import Wire
from tests.world import Person

ANOTHER_PIN, WRONG_PIN = "482619", "618243"


@dataclass(frozen=True)
class Rival:
    """`kind`: what it does; `about`: the id of whom or what it concerns; `act` does it and tells what it was answered."""

    kind: str
    about: str
    act: Callable[[], object]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"


def _alone(act: Callable[[str], None], subject: str) -> None:
    """Once more from the same ground, it is another request to the engine, which remembers tokens."""
    with Wire(run=uuid.uuid4().hex):
        act(subject)


def _ids(state: State, table: str, sort: str) -> list[str]:
    return sorted(pk for name, pk, sk in state if (name, sk) == (table, sort))


def _phones(state: State) -> list[str]:
    """Owner and phone."""
    return sorted(f"{pk} {sk.removeprefix('device#')}" for name, pk, sk in state if sk.startswith("device#"))


def _terminals(state: State) -> list[str]:
    """Each terminal behind the administrator of its merchant."""
    admins = {pk: row["admin"]["S"] for (name, pk, sk), row in state.items() if (name, sk) == ("merchants", "merchant")}
    return sorted(f"{admins[row['merchant']['S']]} {pk}" for (_, pk, sk), row in state.items() if sk == "terminal")


def _person(user_id: str) -> Person:
    return Person(sub=str(uuid.UUID(user_id.removeprefix("usr_"))))


def _suspend(whom: str) -> None:
    suspensions.decide("suspend", whom)


def _change_pin(user_id: str) -> None:
    user = fetch(people_rows.user(user_id))
    if user and user.pin.hash:
        after = people.after_right_pin(user.pin, pins.hashed(ANOTHER_PIN))
        with contextlib.suppress(Stale), Commit(uuid.uuid4().hex) as commit:
            people_rows.change_pin(commit, user, after, clock.now())


def _guess_three_times(user_id: str) -> None:
    """One after another, by a step of its own; nobody guesses a PIN that there is not."""
    user = fetch(people_rows.user(user_id))
    for _ in range(people.PIN_TRIES if user and user.pin.hash else 0):
        world.call("PUT", "/v1/pin", _person(user_id), {"pin": ANOTHER_PIN, "current_pin": WRONG_PIN})


def _revoke(terminal: str) -> None:
    admin, terminal_id = terminal.split()
    world.call("DELETE", f"/v1/terminals/{terminal_id}", _person(admin))


def _remove_phone(phone: str) -> None:
    owner, device_id = phone.split()
    world.call("DELETE", f"/v1/devices/{device_id}", _person(owner))


def _open_bill(phone: str) -> None:
    owner, device_id = phone.split()
    world.call("POST", "/v1/bills", _person(owner), {"device": device_id, "currency": "USD"}, key="rival")


def _close(bill_id: str) -> None:
    bill = bill_rows.load(bill_id).present
    with contextlib.suppress(Refusal):
        change = bills.close(bill, clock.now())
        device = fetch(people_rows.device(bill.owner, bill.device))
        with Commit(uuid.uuid4().hex) as commit:
            bill_rows.add_change(commit, bill, change)
            if device and device.bill == bill_id:
                people_rows.free_device(commit, bill.owner, device)


def _dispute(bill_id: str) -> None:
    bill = bill_rows.load(bill_id).present
    if bill.items:
        world.call(
            "POST", f"/v1/bills/{bill_id}/items/{bill.items[-1].item_id}/dispute", _person(bill.owner), key="rival"
        )


def _remove_card(card_id: str) -> None:
    card = card_rows.load(card_id).present
    change = cards.remove(card, clock.now())
    if change:
        # A card with a charge under way stays.
        with contextlib.suppress(Stale), Commit(uuid.uuid4().hex) as commit:
            card_end_rows.add_end(commit, card, change)


def _of(table: str, sort: str) -> Callable[[State], list[str]]:
    return partial(_ids, table=table, sort=sort)


GUESSES = "guesses three wrong PINs of"
# What each does, and where the ground names whom it can concern.
KINDS: dict[str, tuple[Callable[[str], None], Callable[[State], list[str]]]] = {
    "suspends the user": (_suspend, _of("people", "user")),
    "changes the PIN of": (_change_pin, _of("people", "user")),
    GUESSES: (_guess_three_times, _of("people", "user")),
    "suspends the merchant": (_suspend, _of("merchants", "merchant")),
    "revokes the terminal": (_revoke, _terminals),
    "removes the phone": (_remove_phone, _phones),
    "opens a bill on": (_open_bill, _phones),
    "closes the bill": (_close, _of("bills", "#")),
    "disputes an item of": (_dispute, _of("bills", "#")),
    "removes the card": (_remove_card, _of("cards", "#")),
}
TWIN = "does the same"


def found(play: Play) -> Iterator[Rival]:
    """Every rival that the ground has something for, and a second of the scenario itself under another key."""
    for kind, (act, subjects) in KINDS.items():
        for subject in subjects(play.before):
            yield Rival(kind, subject.split()[-1], partial(_alone, act, subject))
    key = "second" if getattr(world.STEPS[play.scenario.step].handler, "key", False) else ""
    yield Rival(TWIN, "", lambda: play.answer(play.twin(key)))
