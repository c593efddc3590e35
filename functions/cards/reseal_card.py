"""Seal a card anew under the newest generation of the vault's keys, and give it the fingerprint of that generation.

Trigger   queue reseals
Reads     vault; card; holders
Writes    card, change, vault, holders       (one transaction)
Answers   resealed | nothing to reseal
Again     a card under the newest generation stays as it is
May       cards BatchGetItem PutItem Query UpdateItem; vault BatchGetItem PutItem; kms Decrypt:card GenerateDataKey:card GenerateMac
"""

from billfold import clock, vault
from billfold.cards import card_holder_rows, card_rows
from billfold.cards.card_changes import Resealed
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import queue
from billfold.vault import vault_rows


@queue.step
def handler(card_id: str) -> str:
    newest = vault.generations()[0]
    # The card first: were it activated between the two reads, the person's details that are forgotten would come back.
    card = card_rows.load(card_id).present
    sealed = fetch(vault_rows.sealed(card_id))
    if not sealed or sealed[vault_rows.NUMBER].generation == newest:
        return "nothing to reseal"
    opened = vault.open_parts(card_id, sealed)
    fingerprint = vault.fingerprint(opened[vault_rows.NUMBER].decode(), newest)
    holders = fetch(card_holder_rows.holders([fingerprint]))

    with Commit(f"{card_id}/reseal/{newest}") as commit:
        vault_rows.add_parts(commit, card_id, vault.seal_parts(card_id, opened), before=sealed)
        card_holder_rows.remove_holder(commit, card)
        card_holder_rows.add_holder(commit, holders, card.owner, card_id)
        card_rows.add_change(commit, card, Resealed(at=clock.now(), fingerprint=fingerprint))

    return "resealed"
