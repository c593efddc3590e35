"""What a bill is to a seller, and when its owner is asked to verify a list: properties over random lives of bills."""

import random
from dataclasses import replace
from typing import Any

import pytest

from billfold import bills
from billfold.bills import Bill, bill_sellers
from billfold.bills.bill_changes import Change, ItemDisputed, ItemsAdded, ItemVoided, Refunded, Settled
from tests.rules.bill_worlds import Worlds, rebuild
from tests.rules.test_bill_machine import AMOUNTS, KINDS, take

MERCHANTS = ("mer_0", "mer_1", "mer_2")
LIVES = 300


def lives() -> list[list[Change]]:
    """The journals of many random bills of three sellers."""
    draw, journals = random.Random(7), []
    for _ in range(LIVES):
        worlds = Worlds(None)
        worlds.check()
        for _ in range(25):
            signed, passed = draw.choice([0, 0, 1, 9]), draw.choice([0, 0, 0, 1, 5, 15, 60])
            take(worlds, draw.choice(KINDS), draw.randrange(40), draw.choice(AMOUNTS[:5]), signed, passed)
        journals.append(worlds.changes)
    return journals


@pytest.fixture(scope="module")
def journals() -> list[list[Change]]:
    return lives()


def without_others(changes: list[Change], merchant: str) -> list[Change]:
    """The same life, had nobody else sold anything."""
    own: list[Change] = []
    items: set[str] = set()
    for change in changes:
        if isinstance(change, ItemsAdded):
            landed = [item for item in change.items if item.merchant == merchant]
            items |= {item.item_id for item in landed}
            own += [replace(change, items=landed)] if landed else []
        elif isinstance(change, ItemVoided | ItemDisputed):
            own += [change] if change.item_id in items else []
        elif not isinstance(change, Refunded) or change.by == merchant:
            own.append(change)
    return own


def view(merchant: str, bill: Bill) -> Any:
    seen = bill_sellers.seen_by({merchant}, bill)
    return seen.state, seen.items, seen.total, seen.refunds, seen.cap, seen.transfer_id


def test_what_a_seller_sees_follows_from_its_own_items_alone(journals):
    """XX-05: at every moment of every life the view is that of a bill on which nobody else sold anything."""
    states = set()
    for journal in journals:
        for moment in range(1, len(journal) + 1):
            bill = rebuild("bil_1", journal[:moment])
            for merchant in MERCHANTS:
                alone = rebuild("bil_1", without_others(journal[:moment], merchant))
                assert view(merchant, bill) == view(merchant, alone)
                states.add(view(merchant, bill)[0])
    assert states == {"active", "verifying", "unpaid", "cancelled", "settled", "partially_refunded", "refunded"}


def test_an_owner_is_asked_for_every_list_that_waits_and_for_each_once(journals):
    """VB-13, VB-14: whatever changed the list, a dispute or a late tap, the last list that was asked for is the one that waits."""
    changed_by = set()
    for journal in journals:
        before, asked = rebuild("bil_1", journal[:1]), ""
        for change in journal[1:]:
            after = bills.after(before, change)
            if bills.asks_anew(before, after):
                assert after.list_hash() != asked
                asked = after.list_hash()
                changed_by.add((type(change).__name__, before.state))
            assert after.state not in bills.OPEN_FOR_PAYMENT or after.list_hash() == asked
            before = after
    assert changed_by == {
        ("Closed", "active"),
        ("ItemsAdded", "verifying"),
        ("ItemsAdded", "expired_empty"),
        ("ItemDisputed", "verifying"),
        ("ItemDisputed", "failed"),
    }


def test_of_a_settlement_only_who_is_paid_is_told(journals):
    """VB-12, VB-17: whose every item was disputed or voided was told of that, and gets nothing of the money."""
    unpaid = 0
    for journal in journals:
        for moment, change in enumerate(journal, 1):
            if isinstance(change, Settled):
                bill = rebuild("bil_1", journal[:moment])
                told = set(bill_sellers.concerned(bill, change))
                assert told == {item.merchant for item in bill.items if item.state == "settled"}
                unpaid += told != {item.merchant for item in bill.items}
    assert unpaid, "nobody in all these lives went without"
