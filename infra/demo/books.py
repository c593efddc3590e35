"""The demo's end: the books."""

from collections.abc import Callable
from typing import Any

from infra.demo.cast import CURRENCY, Customer, Play, Shop, money
from infra.operations import balances

# From a commit through the stream, its forwarding step, the queue and its follower: 1.3 s when idle.
FOLLOW_SECONDS = 30


def show(play: Play) -> None:
    """Every statement adds up to its balance, and all accounts of a currency to zero."""
    story = play.story
    story.chapter("The books")
    for owner in play.owners:
        entries = story.wait(f"{owner.name}'s statement", adds_up(owner), at_most_seconds=FOLLOW_SECONDS)
        counted = f"{len(entries)} {'entry adds' if len(entries) == 1 else 'entries add'}"
        story.expect(f"{owner.name}: {counted} up to {money(_balance(owner))}", bool(entries), True)
    lines = balances.sheet(play.stack)
    story.table(
        ("account", ">available", ">held"),
        [
            (_named(play, line.account), *(money(part, line.currency) for part in (line.available, line.held)))
            for line in lines
        ],
    )
    for currency, total in balances.sums(lines).items():
        story.expect(f"all accounts in {currency} sum to {money(total, currency)}", total, 0)


def adds_up(owner: Customer | Shop) -> Callable[[], list[dict[str, Any]] | None]:
    """Looks for the owner's statement: None until its entries add up to the balance."""

    def look() -> list[dict[str, Any]] | None:
        entries = owner.statement(CURRENCY)
        return entries if sum(entry["amount"] for entry in entries) == _balance(owner) else None

    return look


def _balance(owner: Customer | Shop) -> int:
    return owner.wallet(CURRENCY) if isinstance(owner, Customer) else owner.takings(CURRENCY)


def _named(play: Play, account: str) -> str:
    """The account with its owner's name, where the stack knows it."""
    names = {user["id"]: name.capitalize() for name, user in play.stack["users"].items()}
    names |= {merchant["id"]: merchant["name"] for merchant in play.stack["merchants"]}
    kind, _, rest = account.partition("/")
    owner, _, card = rest.partition("/")
    if card:
        return f"{kind} of {names.get(owner, owner)}, {card[:12]}…"
    return f"{kind} of {names.get(owner, owner)}" if owner else kind
