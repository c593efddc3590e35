"""Find the holds whose deadline has passed, and queue them.

Trigger   every minute
Reads     index of deadlines
Writes    nothing
Answers   how many it queued for expire_holds
Again     a hold is queued again until it is resolved; expire_holds resolves each once
May       ledger Query:due; queue due-holds
Runs      50 s, at most 1 (each minute's look ends before the next begins)
"""

from billfold.ledger.ledger_rows import HoldRow
from billfold.tables.rows import due
from billfold.triggers import schedule

handler = schedule.sweep(__name__, "due-holds", lambda now: due(HoldRow, "holds", now))
