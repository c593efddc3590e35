"""Find the cards that are sealed under an older generation of the vault's keys, and queue them.

Trigger   every day
Reads     index of generations
Writes    nothing
Answers   how many it queued for reseal_card
Again     a card is queued again until it is resealed
May       vault Query:by_generation; queue reseals; generations
"""

from billfold import vault
from billfold.tables import vault_rows
from billfold.triggers import queue, schedule


@schedule.step
def handler(now: int) -> int:
    older = vault.generations()[1:]
    return queue.send("reseals", (card for generation in older for card in vault_rows.sealed_under(generation)))
