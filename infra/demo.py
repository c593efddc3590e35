"""The main job, played over HTTP as a phone and its terminals would: `make demo`.

Alice fills a bill at three shops, verifies it once and all are paid in one transfer. Meanwhile time does its part on three
short bills: Bob forgets to close his, Carol's phone delivers a tap late, and Dave's stays empty. The play ends with the
books. Whatever differs from what must be ends it with exit code 1.
"""

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console

from billfold.money import Money, to_text
from infra import balances
from infra.cast import Customer, Shop, forged
from infra.client import Client, Refusal
from infra.narration import Differs, Story

CURRENCY = "USD"
SHORT_SECONDS = 5
# The schedule looks once a minute and is up to 10 s late on the local cloud; queue and step take a few seconds more.
SCHEDULE_SECONDS = 100
# From a commit through the stream, its forwarding step, the queue and its follower: 1.3 s when idle.
FOLLOW_SECONDS = 30
COFFEE, CROISSANT, BOOK, PEARS = ("Flat white", 2, 380), ("Croissant", 1, 295), ("Paperback", 1, 899), ("Pears", 3, 65)


@dataclass
class Play:
    """The stage: who is there, and the bills that were opened."""

    story: Story
    stack: dict[str, Any]
    customers: dict[str, Customer] = field(default_factory=dict)
    shops: list[Shop] = field(default_factory=list)
    bills: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    late_item: dict[str, Any] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Customer:
        return self.customers[name]


def play(stack: dict[str, Any], console: Console | None = None) -> int:
    """Play it all against a running stack; 0 when everything was as expected, 1 otherwise."""
    stage = Play(Story(console), stack)
    started = time.monotonic()
    try:
        for chapter in CHAPTERS:
            chapter(stage)
    except (Differs, Refusal, httpx.HTTPError) as fault:
        stage.story.console.print(f"\n[red bold]The demo ended early.[/red bold] {type(fault).__name__}: ", end="")
        stage.story.console.print(str(fault), markup=False)
        return 1
    finally:
        for player in (*stage.customers.values(), *stage.shops):
            player.leave()
    seconds = time.monotonic() - started
    stage.story.console.print(
        f"\n[green bold]All {stage.story.checks} checks hold.[/green bold] Played in {seconds:.0f} s."
    )
    return 0


def meet(stage: Play) -> None:
    """Everybody signs in; each customer registers a new phone."""
    story, stack = stage.story, stage.stack
    story.chapter("The cast")
    story.expect("the API answers", Client(stack["api"]).get("/v1/health"), {"status": "ok"})
    for name in ("alice", "bob", "carol", "dave"):
        stage.customers[name] = Customer(stack, name)
    stage.shops += [Shop(stack, merchant) for merchant in stack["merchants"][:3]]
    story.table(
        ("who", "what", "where"),
        [(one.name, "customer", f"phone {one.device[:16]}…") for one in stage.customers.values()]
        + [(shop.name, "shop", f"{len(shop.tills)} tills that sign with Ed25519") for shop in stage.shops],
    )
    for shop in stage.shops:
        stage.before[shop.name] = shop.takings(CURRENCY)
    for name, customer in stage.customers.items():
        stage.before[name] = customer.wallet(CURRENCY)


def open_short_bills(stage: Play) -> None:
    """Three bills of five seconds whose end is left to time; the rest of the play goes on meanwhile."""
    story, coffee = stage.story, stage.shops[0]
    story.chapter(f"Three bills that last {SHORT_SECONDS} seconds, set up early")
    for name in ("bob", "carol", "dave"):
        stage.bills[name] = stage[name].open_bill(CURRENCY, period_seconds=SHORT_SECONDS)
        story.expect(f"{name.capitalize()} opened a bill", stage.bills[name]["state"], "active")
    for name in ("bob", "carol"):
        bill_id = stage.bills[name]["id"]
        answer = stage[name].tap(bill_id, [coffee.tills[0].item(bill_id, [COFFEE])])
        story.expect(f"{name.capitalize()} tapped a coffee for {_money(760)}", _outcomes(answer), ["added"])
    stage.late_item = stage.shops[1].tills[0].item(stage.bills["carol"]["id"], [BOOK])
    in_time = _instant(stage.late_item["signed_at"]) < _instant(stage.bills["carol"]["expires_at"])
    story.expect("Carol's second tap was signed within the period, but her phone is offline", in_time, True)
    story.say("Bob forgets his bill. Dave taps nothing. Nobody will close these three.")


def fill_bill(stage: Play) -> None:
    """Alice opens a bill and taps at three shops; one of the items was tampered with on its way."""
    story, alice, (coffee, books, fruit) = stage.story, stage["alice"], stage.shops
    story.chapter("Alice opens a bill and taps at three shops")
    story.say(f"Alice's wallet: [bold]{_money(stage.before['alice'])}[/bold]")
    bill = stage.bills["alice"] = alice.open_bill(CURRENCY)
    story.expect("the bill is active and empty", (bill["state"], bill["total"]["amount"]), ("active", 0))
    story.say(f"{bill['id']}, open until {bill['expires_at']}")
    honest = [
        coffee.tills[0].item(bill["id"], [COFFEE, CROISSANT]),
        books.tills[0].item(bill["id"], [BOOK]),
        fruit.tills[0].item(bill["id"], [PEARS]),
        coffee.tills[1].item(bill["id"], [CROISSANT]),
    ]
    batch = [*honest, forged(books.tills[1].item(bill["id"], [BOOK]))]
    answer = alice.tap(bill["id"], batch)
    story.table(("shop", "lines", ">amount", "outcome"), _tapped(stage, batch, answer))
    story.expect("four taps landed, the forged one is refused alone", _outcomes(answer), ["added"] * 4 + ["refused"])
    problem = answer["results"][-1]["problem"]
    story.expect("the refusal says why: its signature", problem["code"], "signature_invalid")
    story.expect(f"the server's sum is {_money(2444)}", answer["bill"]["total"]["amount"], 2444)
    stage.items = dict(zip(("breakfast", "book", "pears", "croissant"), _items(answer), strict=False))
    deliver_again(stage, honest, answer)


def deliver_again(stage: Play, honest: list[dict[str, Any]], first: dict[str, Any]) -> None:
    """The phone lost the answer in the underground, and delivers all its taps once more."""
    story, alice, bill_id, key = stage.story, stage["alice"], stage.bills["alice"]["id"], str(uuid.uuid4())
    again = alice.tap(bill_id, honest, key=key)
    story.expect("delivered again by an offline phone, all four are `repeated`", _outcomes(again), ["repeated"] * 4)
    story.expect("under the same item ids", _items(again), _items(first)[:4])
    story.expect("the total has not moved", again["bill"]["total"], first["bill"]["total"])
    repeated = alice.tap(bill_id, honest, key=key)
    story.expect("the same Idempotency-Key gets the same answer", repeated["results"], again["results"])


def deliver_late(stage: Play) -> None:
    """Carol's phone is back: her tap was signed within the period and arrives after it (VB-08)."""
    story, carol, bill = stage.story, stage["carol"], stage.bills["carol"]
    story.chapter("A tap that arrives late")
    over = _instant(bill["expires_at"])
    story.wait("Carol's period ends", lambda: time.time() > over + 0.5 or None, at_most_seconds=SHORT_SECONDS + 10)
    answer = carol.tap(bill["id"], [stage.late_item])
    story.expect("signed in time and delivered late: it still counts", _outcomes(answer), ["added"])
    story.expect(f"Carol's bill is {_money(1659)}", answer["bill"]["total"]["amount"], 1659)
    too_late = stage.shops[2].tills[0].item(bill["id"], [PEARS])
    answer = carol.tap(bill["id"], [too_late])
    found = [result["problem"]["code"] for result in answer["results"]]
    story.expect("signed after the period: refused, `bill_closed`", found, ["bill_closed"])


def verify(stage: Play) -> None:
    """Alice closes; the verification request shows exactly what she will pay; a wrong PIN pays nothing."""
    story, alice, bill_id = stage.story, stage["alice"], stage.bills["alice"]["id"]
    story.chapter("Alice closes, and is asked to verify")
    bill = alice.close(bill_id)
    request = bill["verification"]
    story.expect("the bill awaits verification", bill["state"], "verifying")
    names = {shop.merchant: shop.name for shop in stage.shops}
    story.table(
        ("shop", "signed at", ">amount"),
        [(names[item["merchant"]], item["signed_at"], _money(item["amount"])) for item in request["items"]],
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
    story.expect("nothing was paid", alice.wallet(CURRENCY), stage.before["alice"])
    settle(stage, request["list_hash"])


def settle(stage: Play, list_hash: str) -> None:
    """One verification, one transfer: a debit of Alice's wallet and a credit per shop, all or nothing (VB-17)."""
    story, alice, bill_id, key = stage.story, stage["alice"], stage.bills["alice"]["id"], str(uuid.uuid4())
    story.chapter("Verified once, paid once")
    paid = alice.verify(bill_id, list_hash, alice.pin, key=key)
    story.expect("the bill is settled", paid["state"], "settled")
    again = alice.verify(bill_id, list_hash, alice.pin, key=key)
    story.expect("the same call once more gets the same answer", again, paid)
    transfer = alice.api.get(f"/v1/transfers/{paid['transfer']}")
    found = (transfer["amount"]["amount"], sorted(transfer["payees"]))
    story.expect("one transfer pays all three shops", found, (2444, sorted(shop.merchant for shop in stage.shops)))
    after = {shop.name: shop.takings(CURRENCY) - stage.before[shop.name] for shop in stage.shops}
    after["Alice"] = alice.wallet(CURRENCY) - stage.before["alice"]
    story.table(("account", ">change"), [(name, _money(change)) for name, change in after.items()])
    expected = dict(zip((shop.name for shop in stage.shops), (1350, 899, 195), strict=True)) | {"Alice": -2444}
    story.expect("the wallet fell by what the shops took, to the cent", after, expected)


def refund(stage: Play) -> None:
    """The bookshop's administrator gives the book back, once."""
    story, books, bill_id = stage.story, stage.shops[1], stage.bills["alice"]["id"]
    story.chapter("One item is refunded")
    seen = books.refund(bill_id, [stage.items["book"]], "torn page")
    story.expect("the shop sees only its own item on the bill", [item["state"] for item in seen["items"]], ["refunded"])
    state = stage["alice"].bill(bill_id)["state"]
    story.expect("the bill is partially refunded", state, "partially_refunded")
    try:
        books.refund(bill_id, [stage.items["book"]], "torn page")
        second = "refunded"
    except Refusal as refusal:
        second = refusal.code
    story.expect("a second refund of the book is refused", second, "item_state_conflict")
    story.expect("Alice has the money back", stage["alice"].wallet(CURRENCY), stage.before["alice"] - 2444 + 899)


def wait_for_schedule(stage: Play) -> None:
    """The minute schedule ends the three short bills, each as it must: none was closed by anybody."""
    story = stage.story
    story.chapter("The minute schedule ends what nobody closed")

    def ended() -> list[str] | None:
        states = [stage[name].bill(stage.bills[name]["id"])["state"] for name in ("bob", "carol", "dave")]
        return None if "active" in states else states

    states = story.wait("waiting for the minute schedule", ended, at_most_seconds=SCHEDULE_SECONDS, every=1)
    story.expect("Bob's and Carol's ask for verification, Dave's expired empty", states, ["verifying"] * 2 + ["expired_empty"])
    for name, amount in (("bob", 760), ("carol", 1659)):
        customer, bill_id = stage[name], stage.bills[name]["id"]
        request = customer.bill(bill_id)["verification"]
        paid = customer.verify(bill_id, request["list_hash"], customer.pin)
        found = paid["state"], stage.before[name] - customer.wallet(CURRENCY)
        story.expect(f"{customer.name} verifies and pays {_money(amount)}", found, ("settled", amount))


def tell(stage: Play) -> None:
    """What happened, as told to each: events come from the tables' streams, so they arrive a moment later."""
    story = stage.story
    story.chapter("Everybody was told")
    common = ["bill.opened", "bill.items_added"]
    asked = "bill.verification_requested"
    told: list[tuple[str, Customer | Shop, str, list[str]]] = [
        ("Alice", stage["alice"], "alice", [*common, asked, "bill.settled", "bill.refunded"]),
        ("Bob", stage["bob"], "bob", [*common, asked, "bill.settled"]),
        ("Dave", stage["dave"], "dave", ["bill.opened", "bill.expired_empty"]),
        (stage.shops[1].name, stage.shops[1], "alice", ["bill.items_added", "bill.settled", "bill.refunded"]),
    ]
    for who, audience, whose, expected in told:
        bill_id = stage.bills[whose]["id"]
        events = story.wait(f"events for {who}", _all_told(audience, bill_id, expected), at_most_seconds=FOLLOW_SECONDS)
        story.say(f"{who}: [dim]{' · '.join(event.removeprefix('bill.') for event in events)}[/dim]")
        story.expect(f"{who} was told of every change", sorted(set(events)), sorted(expected))


def _all_told(audience: Customer | Shop, bill_id: str, expected: list[str]) -> Any:
    def look() -> list[str] | None:
        events = audience.events(bill_id)
        return events if set(expected) <= set(events) else None

    return look


def show_books(stage: Play) -> None:
    """Every statement adds up to its balance, and all accounts of a currency to zero."""
    story, alice = stage.story, stage["alice"]
    story.chapter("The books")
    statement = story.wait("Alice's statement", _adds_up(alice), at_most_seconds=FOLLOW_SECONDS)
    own = [entry for entry in statement if entry.get("about") == stage.bills["alice"]["id"]]
    story.table(
        ("when", "what", ">amount"), [(entry["at"], entry["reason"], _money(entry["amount"])) for entry in own]
    )
    story.expect("Alice paid once and was refunded once", sorted(entry["amount"] for entry in own), [-2444, 899])
    for owner in (*stage.customers.values(), *stage.shops):
        entries = story.wait(f"{owner.name}'s statement", _adds_up(owner), at_most_seconds=FOLLOW_SECONDS)
        story.expect(f"{owner.name}: {len(entries)} entries add up to {_money(_balance(owner))}", bool(entries), True)
    lines = balances.sheet(stage.stack)
    story.table(
        ("account", ">available", ">held"),
        [(line.account, _money(line.available, line.currency), _money(line.held, line.currency)) for line in lines],
    )
    for currency, total in balances.sums(lines).items():
        story.expect(f"all accounts in {currency} sum to {_money(total, currency)}", total, 0)


def _balance(owner: Customer | Shop) -> int:
    return owner.wallet(CURRENCY) if isinstance(owner, Customer) else owner.takings(CURRENCY)


def _adds_up(owner: Customer | Shop) -> Any:
    def look() -> list[dict[str, Any]] | None:
        entries = owner.statement(CURRENCY)
        return entries if sum(entry["amount"] for entry in entries) == _balance(owner) else None

    return look


CHAPTERS = (
    meet,
    open_short_bills,
    fill_bill,
    deliver_late,
    verify,
    refund,
    wait_for_schedule,
    tell,
    show_books,
)


def _refused(customer: Customer, bill_id: str, list_hash: str, pin: str) -> Refusal:
    try:
        customer.verify(bill_id, list_hash, pin)
    except Refusal as refusal:
        return refusal
    raise Differs("a verification that must be refused was accepted")


def _tapped(stage: Play, batch: list[dict[str, Any]], answer: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    shops = {till.terminal_id: shop.name for shop in stage.shops for till in shop.tills}
    rows = []
    for item, result in zip(batch, answer["results"], strict=True):
        lines = ", ".join(f"{line['quantity']} × {line['name']}" for line in item["lines"])
        outcome = result["outcome"] + (f": {result['problem']['detail']}" if "problem" in result else "")
        rows.append((shops[item["terminal"]], lines, _money(item["amount"]), outcome))
    return rows


def _outcomes(answer: dict[str, Any]) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


def _items(answer: dict[str, Any]) -> list[str]:
    return [result["item"] for result in answer["results"] if "item" in result]


def _money(amount: int, currency: str = CURRENCY) -> str:
    return to_text(Money(amount, currency))


def _instant(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()
