"""The ledger's rows, and the writes that move money. The rules are in `billfold/ledger/__init__.py`.

    pk                       sk          what
    wallet/<user>            <currency>  available, held: a user's wallets lie side by side
    sales/<merchant>#<lane>  <currency>  one lane of a busy account; funding likewise
    trf_…                    transfer    the transfer, which is its own idempotency record
    hld_…                    hold        money reserved; due_shard and due_at while it is pending

A wallet transfer costs six write units: two conditional balance updates and one record, in one transaction.
"""

import random
from collections.abc import Iterable
from typing import Any, cast

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action

from billfold import ledger
from billfold.ledger import Account, Balance, Hold, Leg, Transfer
from billfold.tables.commits import Commit, Request
from billfold.tables.rows import Integer, Json, Row, Wanted, due_shard, pages, several, single, table


class BalanceRow(Row):
    class Meta:
        table_name = table("ledger")

    available = Integer(default=0)
    held = Integer(default=0)


class TransferRow(Row):
    class Meta:
        table_name = table("ledger")

    SORT = "transfer"
    legs = Json()
    at = Integer()
    kind = UnicodeAttribute(null=True)
    reason = UnicodeAttribute()
    about = UnicodeAttribute(null=True)
    reverses = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)


class HoldRow(Row):
    class Meta:
        table_name = table("ledger")

    SORT = "hold"
    account = UnicodeAttribute()
    amount = Integer()
    expires_at = Integer(null=True)
    about = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    posted = Integer(default=0)
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)


# Each process keeps to one lane and leaves it for another when it meets a conflict there, so that payers spread
# themselves out: as long as they are fewer than the lanes, conflicts die away.
_lane = random.randrange(ledger.LANES)


def _address(account: Account, lane: int) -> tuple[str, str]:
    """The keys of a balance row: everything before the currency, with the lane of an account that has lanes, and the currency."""
    owner, _, currency = account.name.rpartition("/")
    return (owner if account.lanes == 1 else f"{owner}#{lane}"), currency


def wallets(user_id: str) -> list[tuple[str, Balance]]:
    """A user's wallets by currency, those that ever held money."""
    rows = [BalanceRow.from_raw_data(item) for item in pages(BalanceRow, f"wallet/{user_id}")]
    return [(row.sk, _to_balance(row)) for row in rows]


def balance(account: Account) -> Wanted[Balance]:
    """An account's balance: the sum of its lanes. A row that does not exist yet is zero."""
    lanes = several(BalanceRow, (_address(account, lane) for lane in range(account.lanes)), _to_balance)
    return Wanted(lanes.keys, lambda rows: sum(lanes.read_as(rows), Balance()))


def _to_balance(row: BalanceRow) -> Balance:
    return Balance(row.available, row.held)


def transfer(transfer_id: str) -> Wanted[Transfer | None]:
    """A transfer; None: not posted."""
    return single(TransferRow, transfer_id, TransferRow.SORT, to_transfer)


def transfers(transfer_ids: Iterable[str]) -> Wanted[list[Transfer]]:
    """Those of these transfers that were posted, in this order."""
    return several(TransferRow, ((transfer_id, TransferRow.SORT) for transfer_id in transfer_ids), to_transfer)


def posted(transfer_id: str) -> Wanted[tuple[Transfer, str] | None]:
    """A transfer with the fingerprint of the request that posted it (empty: none did); None: not posted."""
    return single(TransferRow, transfer_id, TransferRow.SORT, lambda row: (to_transfer(row), row.request or ""))


def to_transfer(row: TransferRow) -> Transfer:
    """The transfer that a row holds."""
    legs = tuple(Leg(ledger.account(name), amount) for name, amount in row.legs)
    return Transfer(row.pk, legs, row.at, _kind(row, legs[-1]), row.reason, row.about or "", row.reverses or "")


def _kind(row: TransferRow, line: Leg) -> ledger.Kind:
    return cast(ledger.Kind, row.kind) if row.kind else ledger.kind_before_kinds(line, row.about or "")


def add_transfer(commit: Commit, transfer: Transfer, *, request: str = "") -> None:
    """Add a transfer to a commit: its record, which must not exist (LG-04), and each leg's balance (LG-06)."""
    commit.record(_transfer_row(transfer, request))
    for leg in transfer.legs:
        commit.update_each_try(_change(leg.account, leg.amount, 0))


def check_not_posted(commit: Commit, transfer_id: str) -> None:
    """Add to a commit that there is no transfer of this name."""
    commit.check((TransferRow, transfer_id, TransferRow.SORT), TransferRow.pk.does_not_exist())


def place_hold(commit: Commit, hold: Hold) -> None:
    """Add a reservation to a commit: the money leaves what is available, and stays posted."""
    commit.record(_hold_row(hold))
    commit.update_each_try(_change(hold.account, -hold.amount, hold.amount))


def resolve_hold(commit: Commit, before: Hold, after: Hold, now: int) -> None:
    """Add the end of a pending hold to a commit (LG-05): what is posted leaves the held money, the rest is available again.

    A posted hold needs its transfer in the same commit; see `post_held`.
    """
    row = _hold_row(after)
    condition = HoldRow.state == "pending"
    if after.state == "posted" and after.expires_at is not None:
        condition &= HoldRow.expires_at > now
    commit.put(row, condition)
    if after.state != "posted":
        commit.update_each_try(_change(before.account, before.amount, -before.amount))


def post_held(commit: Commit, holds: Iterable[tuple[Hold, Hold]], transfer: Transfer, now: int) -> None:
    """Add one transfer out of one or several holds (a hold group), each given before and after; all resolve or none.

    The transfer's debits are the holds' posted amounts. Each payer's balance is written once: what was held leaves, and
    what was not posted comes back.
    """
    commit.record(_transfer_row(transfer))
    debited: dict[str, int] = {}
    for before, after in holds:
        resolve_hold(commit, before, after, now)
        assert before.account.name not in debited, "a hold group has one hold per account"
        debited[before.account.name] = after.posted
        commit.update_each_try(_change(before.account, before.amount - after.posted, -before.amount))
    for leg in transfer.legs:
        if leg.amount < 0:
            assert debited.pop(leg.account.name, None) == -leg.amount, "a held debit is what its hold posts"
        else:
            commit.update_each_try(_change(leg.account, leg.amount, 0))
    assert not debited, "every posted hold is a debit of the transfer"


def _change(account: Account, available: int, held: int) -> Any:
    """A balance update for each try. A debit of an account with a floor carries the condition that keeps it there (LG-06)."""
    tries = 0

    def make() -> Request:
        nonlocal tries
        row = BalanceRow(*_address(account, _choose_lane(account, tries)))
        tries += 1
        actions: list[Action] = []
        if available:
            actions.append(BalanceRow.available.add(available))
        if held:
            actions.append(BalanceRow.held.add(held))
        condition = None
        if account.floor and available < 0:
            condition = BalanceRow.available >= -available
        if held < 0:
            enough_held = BalanceRow.held >= -held
            condition = enough_held if condition is None else condition & enough_held
        return row.get_update_kwargs_from_instance(actions=actions, condition=condition)

    return make


def _choose_lane(account: Account, tries: int) -> int:
    global _lane
    if tries and account.lanes > 1:
        _lane = random.randrange(ledger.LANES)
    return _lane % account.lanes


def _transfer_row(transfer: Transfer, request: str = "") -> TransferRow:
    return TransferRow(
        transfer.transfer_id,
        TransferRow.SORT,
        legs=[(leg.account.name, leg.amount) for leg in transfer.legs],
        at=transfer.at,
        kind=transfer.kind,
        reason=transfer.reason,
        about=transfer.about or None,
        reverses=transfer.reverses or None,
        request=request or None,
    )


def _hold_row(hold: Hold) -> HoldRow:
    due_at = hold.expires_at if hold.state == "pending" else None
    return HoldRow(
        hold.hold_id,
        HoldRow.SORT,
        account=hold.account.name,
        amount=hold.amount,
        expires_at=hold.expires_at,
        about=hold.about or None,
        state=hold.state,
        posted=hold.posted,
        due_shard=due_shard("holds", hold.hold_id) if due_at else None,
        due_at=due_at,
    )


def to_hold(row: HoldRow) -> Hold:
    """The hold that a row holds."""
    account = ledger.account(row.account)
    return Hold(row.pk, account, row.amount, row.expires_at, row.about or "", row.state, row.posted)


def hold(hold_id: str) -> Wanted[Hold | None]:
    """A hold; None: unknown."""
    return single(HoldRow, hold_id, HoldRow.SORT, to_hold)
