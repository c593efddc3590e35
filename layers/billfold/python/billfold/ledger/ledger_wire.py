"""Transfers and statements as they go over the wire."""

from billfold import ledger
from billfold.clock import to_text
from billfold.ledger import Entry, Transfer
from billfold.triggers.wire import Total, View


class TransferAnswer(View, frozen=True):
    """`kind` says what it was, whatever the text in `reason`; `payer` is absent when the money came from outside Billfold."""

    id: str
    at: str
    amount: Total
    kind: ledger.Kind
    reason: str
    payees: list[str]
    payer: str | None = None
    about: str | None = None
    reverses: str | None = None


class EntryAnswer(View, frozen=True):
    """One line of a statement: what a transfer did to the account; negative is a debit, in minor units.

    `kind` says what it was, whatever the text in `reason`."""

    transfer: str
    at: str
    amount: int
    currency: str
    kind: ledger.Kind
    reason: str
    about: str | None = None


def transfer(posted: Transfer, parties: set[str] | None = None) -> TransferAnswer:
    """A transfer as its payer sees it, or, given parties, as a payee does: without the other payees (XX-05)."""
    payers = [leg.account.owner for leg in posted.legs if leg.amount < 0]
    credits = [(leg.amount, leg.account.owner) for leg in posted.legs if leg.amount > 0]
    if parties is not None and not parties & set(payers):
        credits = [(amount, owner) for amount, owner in credits if owner in parties]
    return TransferAnswer(
        id=posted.transfer_id,
        at=to_text(posted.at),
        amount=Total(sum(amount for amount, _ in credits), posted.currency),
        kind=posted.kind,
        reason=posted.reason,
        payees=[owner for _, owner in credits if owner],
        payer=payers[0] or None,
        about=posted.about or None,
        reverses=posted.reverses or None,
    )


def entry(line: Entry, currency: str) -> EntryAnswer:
    """A line of a statement."""
    at = to_text(line.at)
    return EntryAnswer(line.transfer_id, at, line.amount, currency, line.kind, line.reason, line.about or None)
