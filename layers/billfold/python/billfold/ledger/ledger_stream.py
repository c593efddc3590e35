"""What a transfer has done: its accounts' statements written, and, between people, both of them told."""

from typing import Any

from billfold.events import Event
from billfold.ledger import Transfer, ledger_rows

# A transfer between people, by which of them is told.
EVENTS = {"payer": "transfer.sent", "payee": "transfer.received"}


def from_stream(image: dict[str, Any]) -> Transfer | None:
    """The transfer in a stream record's image, or None when the record is another kind of row."""
    if image["sk"]["S"] != ledger_rows.TransferRow.SORT:
        return None
    return ledger_rows.to_transfer(ledger_rows.TransferRow.from_raw_data(image))


def messages(image: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """The queue that writes statements, once for each account of a transfer that was just made: queue, body, log, thing."""
    transfer = from_stream(image)
    name = transfer.transfer_id if transfer else ""
    return [("statements", name, leg.account.name, name) for leg in (transfer.legs if transfer else ())]


def events_of(image: dict[str, Any]) -> list[Event]:
    """What a transfer between people means to each of them; of bills, top-ups and refunds their own changes tell."""
    transfer = from_stream(image)
    if not transfer or transfer.about or not all(leg.account.name.startswith("wallet/") for leg in transfer.legs):
        return []
    payers = [leg.account.owner for leg in transfer.legs if leg.amount < 0]
    payees = [leg.account.owner for leg in transfer.legs if leg.amount > 0]
    made = []
    for leg in transfer.legs:
        owner, sent = leg.account.owner, leg.amount < 0
        seen = {"payer": owner, "payees": payees} if sent else {"payer": payers[0], "payees": [owner]}
        facts = {"amount": {"amount": abs(leg.amount), "currency": transfer.currency}, **seen}
        kind = EVENTS["payer" if sent else "payee"]
        made.append(Event(transfer.transfer_id, owner, kind, transfer.transfer_id, transfer.at, facts))
    return made
