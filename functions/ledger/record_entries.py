"""Write the lines of an account's statement that the ledger proves.

Trigger   queue statements
Reads     transfers; whether they were told before; the statement's last line
Writes    statement entries, told            (one transaction)
Answers   what is no transfer of this account, for the dead letters
Again     a transfer is one line of each of its accounts, for ever
May       ledger BatchGetItem; statements BatchGetItem PutItem Query
"""

from billfold.ledger import ledger_rows, statement_rows
from billfold.tables.rows import fetch
from billfold.triggers import queue


@queue.in_order("statements")
def handler(account: str, transfer_ids: list[str]) -> list[str]:
    transfers = fetch(ledger_rows.transfers(transfer_ids))
    touching = [transfer for transfer in transfers if account in {leg.account.name for leg in transfer.legs}]

    statement_rows.append(account, touching)

    proven = {transfer.transfer_id for transfer in touching}
    return [transfer_id for transfer_id in transfer_ids if transfer_id not in proven]
