"""Find the cards that are sealed under an older generation of the vault's keys, and queue them.

Trigger   every ten minutes
Reads     index of generations
Writes    nothing
Answers   how many it queued for reseal_card
Again     a card is queued again until it is resealed, which takes it out of the index: what is left is found the next time
May       vault Query:by_generation; queue reseals; generations
"""

from billfold import vault
from billfold.triggers import schedule
from billfold.vault import vault_rows

# A thousand calls of SQS, well within the function's time; 1,440,000 a day.
MOST = 10_000

handler = schedule.sweep(__name__, "reseals", lambda _: vault_rows.sealed_under(*vault.generations()[1:], most=MOST))
