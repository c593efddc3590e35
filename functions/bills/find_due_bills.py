"""Find the bills that time should change now, and queue them.

Trigger   every minute
Reads     index of deadlines
Writes    nothing
Answers   how many it queued for end_bills
Again     a bill is queued again until it was changed; end_bills does each change once
May       bills Query:due; queue due-bills
Runs      50 s, at most 1 (each minute's look ends before the next begins)
"""

from billfold.bills import bill_rows
from billfold.triggers import schedule

handler = schedule.sweep(__name__, "due-bills", bill_rows.JOURNALS.due)
