"""The demo's end: who was told what, and the books."""

from typing import Any

from infra.demo.cast import CURRENCY, Customer, Play, Shop, money
from infra.operations import balances

# From a commit through the stream, its forwarding step, the queue and its follower: 1.3 s when idle.
FOLLOW_SECONDS = 30


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
    story.table(("when", "what", ">amount"), [(entry["at"], entry["reason"], money(entry["amount"])) for entry in own])
    story.expect("Alice paid once and was refunded once", sorted(entry["amount"] for entry in own), [-2444, 899])
    for owner in stage.owners:
        entries = story.wait(f"{owner.name}'s statement", _adds_up(owner), at_most_seconds=FOLLOW_SECONDS)
        counted = f"{len(entries)} {'entry adds' if len(entries) == 1 else 'entries add'}"
        story.expect(f"{owner.name}: {counted} up to {money(_balance(owner))}", bool(entries), True)
    lines = balances.sheet(stage.stack)
    story.table(
        ("account", ">available", ">held"),
        [
            (_named(stage, line.account), *(money(part, line.currency) for part in (line.available, line.held)))
            for line in lines
        ],
    )
    for currency, total in balances.sums(lines).items():
        story.expect(f"all accounts in {currency} sum to {money(total, currency)}", total, 0)


def _balance(owner: Customer | Shop) -> int:
    return owner.wallet(CURRENCY) if isinstance(owner, Customer) else owner.takings(CURRENCY)


def _adds_up(owner: Customer | Shop) -> Any:
    def look() -> list[dict[str, Any]] | None:
        entries = owner.statement(CURRENCY)
        return entries if sum(entry["amount"] for entry in entries) == _balance(owner) else None

    return look


def _named(stage: Play, account: str) -> str:
    """The account with its owner's name, where the stack knows it."""
    names = {user["id"]: name.capitalize() for name, user in stage.stack["users"].items()}
    names |= {merchant["id"]: merchant["name"] for merchant in stage.stack["merchants"]}
    kind, _, rest = account.partition("/")
    owner, _, card = rest.partition("/")
    if card:
        return f"{kind} of {names.get(owner, owner)}, {card[:12]}…"
    return f"{kind} of {names.get(owner, owner)}" if owner else kind
