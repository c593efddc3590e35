"""Find the cards that are open though their state machine has had its time, and queue them.

Trigger   every minute
Reads     index of deadlines
Writes    nothing
Answers   how many it queued for expire_cards
Again     a card is queued again until it has ended, which it does once
May       cards Query:due; queue due-cards
Runs      50 s, at most 1 (each minute's look ends before the next begins)
"""

from billfold.cards import card_rows
from billfold.triggers import schedule

handler = schedule.sweep(__name__, "due-cards", card_rows.JOURNALS.due)
