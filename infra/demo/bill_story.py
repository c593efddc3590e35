"""The demo's chapters about bills.

Alice fills a bill at three shops, verifies it once and all are paid in one transfer. Meanwhile time does its part on three
short bills: Bob forgets to close his, Carol's phone delivers a tap late, and Dave's stays empty.
"""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from infra.clients.api import Refusal
from infra.demo import bills
from infra.demo.books import FOLLOW_SECONDS, adds_up
from infra.demo.cast import CURRENCY, Acts, Customer, Play, Shop, instant, money
from infra.demo.narration import Differs

SHORT_SECONDS = 5
# The schedule looks once a minute and is up to 10 s late on the local cloud; queue and step take a few seconds more.
SCHEDULE_SECONDS = 100
COFFEE, CROISSANT, BOOK, PEARS = ("Flat white", 2, 380), ("Croissant", 1, 295), ("Paperback", 1, 899), ("Pears", 3, 65)


@dataclass
class Notes:
    """Each customer's bill, the tap that Carol's phone delivers late, and the ids of Alice's items by what they are."""

    bills: dict[str, dict[str, Any]] = field(default_factory=dict)
    late_item: dict[str, Any] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)


def open_short_bills(play: Play) -> None:
    """Three bills of five seconds whose end is left to time; the rest of the play goes on meanwhile."""
    notes = play.notes(Notes)
    story, (coffee, books, _) = play.story, play.shops
    coffees: dict[str, Any] = {}
    late: dict[str, Any] = {}
    story.chapter(f"Three bills that last {SHORT_SECONDS} seconds, set up early")
    for name in ("bob", "carol", "dave"):
        bill = notes.bills[name] = bills.open_bill(play[name], CURRENCY, period_seconds=SHORT_SECONDS)
        story.expect(f"{name.capitalize()} opened a bill", bill["state"], "active")
        # Signed at once: delivery may take longer than the period where every function starts cold.
        coffees[name] = coffee.tills[0].item(bill["id"], [COFFEE])
        late[name] = books.tills[0].item(bill["id"], [BOOK])
    for name in ("bob", "carol"):
        answer = bills.tap(play[name], notes.bills[name]["id"], [coffees[name]])
        story.expect(f"{name.capitalize()} tapped a coffee for {money(760)}", bills.outcomes(answer), ["added"])
    notes.late_item = late["carol"]
    in_time = instant(notes.late_item["signed_at"]) < instant(notes.bills["carol"]["expires_at"])
    story.expect("Carol's second tap was signed within the period, but her phone is offline", in_time, True)
    story.say("Bob forgets his bill. Dave taps nothing. Nobody will close these three.")


def fill_bill(play: Play) -> None:
    """Alice opens a bill and taps at three shops; one of the items was tampered with on its way."""
    notes = play.notes(Notes)
    story, alice, (coffee, books, fruit) = play.story, play["alice"], play.shops
    story.chapter("Alice opens a bill and taps at three shops")
    story.say(f"Alice's wallet: [bold]{money(play.before['alice'])}[/bold]")
    bill = notes.bills["alice"] = bills.open_bill(alice, CURRENCY)
    story.expect("the bill is active and empty", (bill["state"], bill["total"]["amount"]), ("active", 0))
    story.say(f"{bill['id']}, open until {bill['expires_at']}")
    honest = [
        coffee.tills[0].item(bill["id"], [COFFEE, CROISSANT]),
        books.tills[0].item(bill["id"], [BOOK]),
        fruit.tills[0].item(bill["id"], [PEARS]),
        coffee.tills[1].item(bill["id"], [CROISSANT]),
    ]
    batch = [*honest, bills.forged(books.tills[1].item(bill["id"], [BOOK]))]
    answer = bills.tap(alice, bill["id"], batch)
    story.table(("shop", "lines", ">amount", "outcome"), bills.tapped(play, batch, answer))
    story.expect(
        "four taps landed, the forged one is refused alone", bills.outcomes(answer), ["added"] * 4 + ["refused"]
    )
    problem = answer["results"][-1].get("problem", {})
    story.expect("the refusal says why: its signature", problem.get("code"), "signature_invalid")
    story.expect(f"the server's sum is {money(2444)}", answer["bill"]["total"]["amount"], 2444)
    notes.items = dict(zip(("breakfast", "book", "pears", "croissant"), bills.items_of(answer), strict=False))
    deliver_again(play, honest, answer)


def deliver_again(play: Play, honest: list[dict[str, Any]], first: dict[str, Any]) -> None:
    """The phone lost the answer in the underground, and delivers all its taps once more."""
    story, alice, bill_id, key = play.story, play["alice"], play.notes(Notes).bills["alice"]["id"], str(uuid.uuid4())
    again = bills.tap(alice, bill_id, honest, key=key)
    story.expect(
        "delivered again by an offline phone, all four are `repeated`", bills.outcomes(again), ["repeated"] * 4
    )
    story.expect("under the same item ids", bills.items_of(again), bills.items_of(first)[:4])
    story.expect("the total has not moved", again["bill"]["total"], first["bill"]["total"])
    repeated = bills.tap(alice, bill_id, honest, key=key)
    story.expect("the same Idempotency-Key gets the same answer", repeated["results"], again["results"])


def deliver_late(play: Play) -> None:
    """Carol's phone is back: her tap was signed within the period and arrives after it (VB-08)."""
    notes = play.notes(Notes)
    story, carol, bill = play.story, play["carol"], notes.bills["carol"]
    story.chapter("A tap that arrives late")
    over = instant(bill["expires_at"])
    story.wait("Carol's period ends", lambda: time.time() > over + 0.5 or None, at_most_seconds=SHORT_SECONDS + 10)
    answer = bills.tap(carol, bill["id"], [notes.late_item])
    story.expect("signed in time and delivered late: it still counts", bills.outcomes(answer), ["added"])
    story.expect(f"Carol's bill is {money(1659)}", answer["bill"]["total"]["amount"], 1659)
    too_late = play.shops[2].tills[0].item(bill["id"], [PEARS])
    answer = bills.tap(carol, bill["id"], [too_late])
    found = [result.get("problem", {}).get("code") for result in answer["results"]]
    story.expect("signed after the period: refused, `bill_closed`", found, ["bill_closed"])


def verify(play: Play) -> None:
    """Alice closes; the verification request shows exactly what she will pay; a wrong PIN pays nothing."""
    story, alice, bill_id = play.story, play["alice"], play.notes(Notes).bills["alice"]["id"]
    story.chapter("Alice closes, and is asked to verify")
    bill = bills.close(alice, bill_id)
    request = bill["verification"]
    story.expect("the bill awaits verification", bill["state"], "verifying")
    names = {shop.merchant: shop.name for shop in play.shops}
    story.table(
        ("shop", "signed at", ">amount"),
        [(names[item["merchant"]], item["signed_at"], money(item["amount"])) for item in request["items"]],
    )
    listed = sum(item["amount"] for item in request["items"])
    story.expect("the request lists four purchases that add up", (len(request["items"]), listed), (4, 2444))
    story.say(f"bound to list hash {request['list_hash'][:16]}…, until {request['expires_at']}")
    wrong = str((int(alice.pin) + 1) % 10 ** len(alice.pin)).zfill(len(alice.pin))
    refusal = _refused(alice, bill_id, request["list_hash"], wrong)
    story.expect(f"a wrong PIN is refused: “{refusal.problem.get('detail')}”", refusal.code, "pin_wrong")
    story.expect("one try fewer is left", refusal.problem["tries_left"], request["tries_left"] - 1)
    refusal = _refused(alice, bill_id, "0" * 64, alice.pin)
    story.expect("another list's hash is refused", refusal.code, "list_changed")
    story.expect("with the list as it is now", refusal.problem["verification"]["list_hash"], request["list_hash"])
    story.expect("nothing was paid", alice.wallet(CURRENCY), play.before["alice"])
    settle(play, request["list_hash"])


def settle(play: Play, list_hash: str) -> None:
    """One verification, one transfer: a debit of Alice's wallet and a credit per shop, all or nothing (VB-17)."""
    story, alice, bill_id, key = play.story, play["alice"], play.notes(Notes).bills["alice"]["id"], str(uuid.uuid4())
    story.chapter("Verified once, paid once")
    paid = bills.verify(alice, bill_id, list_hash, alice.pin, key=key)
    story.expect("the bill is settled", paid["state"], "settled")
    again = bills.verify(alice, bill_id, list_hash, alice.pin, key=key)
    story.expect("the same call once more gets the same answer", again, paid)
    transfer = alice.api.get(f"/v1/transfers/{paid['transfer']}")
    found = (transfer["amount"]["amount"], sorted(transfer["payees"]))
    story.expect("one transfer pays all three shops", found, (2444, sorted(shop.merchant for shop in play.shops)))
    after = {shop.name: shop.takings(CURRENCY) - play.before[shop.name] for shop in play.shops}
    after["Alice"] = alice.wallet(CURRENCY) - play.before["alice"]
    story.table(("account", ">change"), [(name, money(change)) for name, change in after.items()])
    expected = dict(zip((shop.name for shop in play.shops), (1350, 899, 195), strict=True)) | {"Alice": -2444}
    story.expect("the wallet fell by what the shops took, to the cent", after, expected)


def refund(play: Play) -> None:
    """The bookshop's administrator gives the book back, once."""
    notes = play.notes(Notes)
    story, books, bill_id = play.story, play.shops[1], notes.bills["alice"]["id"]
    story.chapter("One item is refunded")
    seen = bills.refund(books, bill_id, [notes.items["book"]], "torn page")
    story.expect("the shop sees only its own item on the bill", [item["state"] for item in seen["items"]], ["refunded"])
    state = bills.read(play["alice"], bill_id)["state"]
    story.expect("the bill is partially refunded", state, "partially_refunded")
    try:
        bills.refund(books, bill_id, [notes.items["book"]], "torn page")
        second = "refunded"
    except Refusal as refusal:
        second = refusal.code
    story.expect("a second refund of the book is refused", second, "item_state_conflict")
    story.expect("Alice has the money back", play["alice"].wallet(CURRENCY), play.before["alice"] - 2444 + 899)


def wait_for_schedule(play: Play) -> None:
    """The minute schedule ends the three short bills, each as it must: none was closed by anybody."""
    notes = play.notes(Notes)
    story = play.story
    story.chapter("The minute schedule ends what nobody closed")

    def ended() -> list[str] | None:
        states = [bills.read(play[name], notes.bills[name]["id"])["state"] for name in ("bob", "carol", "dave")]
        return None if "active" in states else states

    states = story.wait("waiting for the minute schedule", ended, at_most_seconds=SCHEDULE_SECONDS, every=1)
    story.expect(
        "Bob's and Carol's ask for verification, Dave's expired empty", states, ["verifying"] * 2 + ["expired_empty"]
    )
    for name, amount in (("bob", 760), ("carol", 1659)):
        customer, bill_id = play[name], notes.bills[name]["id"]
        request = bills.read(customer, bill_id)["verification"]
        paid = bills.verify(customer, bill_id, request["list_hash"], customer.pin)
        found = paid["state"], play.before[name] - customer.wallet(CURRENCY)
        story.expect(f"{customer.name} verifies and pays {money(amount)}", found, ("settled", amount))


def tell(play: Play) -> None:
    """What happened, as told to each: events come from the tables' streams, so they arrive a moment later."""
    story = play.story
    story.chapter("Everybody was told")
    common = ["bill.opened", "bill.items_added"]
    asked = "bill.verification_requested"
    told: list[tuple[str, Customer | Shop, str, list[str]]] = [
        ("Alice", play["alice"], "alice", [*common, asked, "bill.settled", "bill.refunded"]),
        ("Bob", play["bob"], "bob", [*common, asked, "bill.settled"]),
        ("Dave", play["dave"], "dave", ["bill.opened", "bill.expired_empty"]),
        (play.shops[1].name, play.shops[1], "alice", ["bill.items_added", "bill.settled", "bill.refunded"]),
    ]
    for who, audience, whose, expected in told:
        bill_id = play.notes(Notes).bills[whose]["id"]
        events = story.wait(f"events for {who}", _all_told(audience, bill_id, expected), at_most_seconds=FOLLOW_SECONDS)
        story.say(f"{who}: [dim]{' · '.join(event.removeprefix('bill.') for event in events)}[/dim]")
        story.expect(f"{who} was told of every change", sorted(set(events)), sorted(expected))


def _all_told(audience: Customer | Shop, bill_id: str, expected: list[str]) -> Any:
    def look() -> list[str] | None:
        events = audience.events(bill_id)
        return events if set(expected) <= set(events) else None

    return look


def show_statement(play: Play) -> None:
    """What Alice's statement says of her bill."""
    story, alice, bill_id = play.story, play["alice"], play.notes(Notes).bills["alice"]["id"]
    story.chapter("Alice's statement")
    statement = story.wait("Alice's statement", adds_up(alice), at_most_seconds=FOLLOW_SECONDS)
    own = [entry for entry in statement if entry.get("about") == bill_id]
    story.table(("when", "what", ">amount"), [(entry["at"], entry["reason"], money(entry["amount"])) for entry in own])
    story.expect("Alice paid once and was refunded once", sorted(entry["amount"] for entry in own), [-2444, 899])


ACTS = Acts(
    opening=(open_short_bills,),
    chapters=(fill_bill, deliver_late, verify, refund),
    closing=(wait_for_schedule, tell, show_statement),
)


def _refused(customer: Customer, bill_id: str, list_hash: str, pin: str) -> Refusal:
    try:
        bills.verify(customer, bill_id, list_hash, pin)
    except Refusal as refusal:
        return refusal
    raise Differs("a verification that must be refused was accepted")
