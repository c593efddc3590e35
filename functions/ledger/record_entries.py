"""Write the lines of an account's statement that the ledger proves.

Trigger   queue statements
Reads     transfers; whether they were told before; the statement's last line
Writes    statement entries, told            (one transaction)
Answers   what is no transfer of this account, for the dead letters
Again     a transfer is one line of each of its accounts, for ever
May       ledger BatchGetItem; statements BatchGetItem PutItem Query
"""

from billfold.ledger import ledger_rows, statement_rows
from billfold.triggers import queue


@queue.in_order("statements")
def handler(account: str, transfer_ids: list[str]) -> list[str]:
    found = ledger_rows.read_transfers(transfer_ids)
    proven = {name: one for name, one in found.items() if account in {leg.account.name for leg in one.legs}}

    statement_rows.append(account, proven.values())

    return [name for name in transfer_ids if name not in proven]
