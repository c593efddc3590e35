"""Have each bank's list compared with ours for every day that has no report, and what is settling too long asked for again.

Trigger   every day at 02:10 UTC
Reads     reports; index of deadlines
Writes    nothing
Answers   how many comparisons and charges it queued
Again     a day that has a report is left alone; one that has none, of the last fourteen, is compared, and one of which a
          charge was still settling once more
May       charges BatchGetItem Query:due; issuers; queue charges comparisons
"""

from itertools import islice

from billfold import charges
from billfold.banks import issuers
from billfold.charges import charge_messages, charge_rows, comparison_rows
from billfold.charges.comparisons import Comparison
from billfold.triggers import queue, schedule

# As many as are sent within a few seconds; the most overdue of each shard come first.
MOST_OVERDUE = 10_000


@schedule.step
def handler(now: int) -> int:
    wanted = [Comparison(bank, day, now) for day in charges.days_to_compare(now) for bank in issuers.banks()]
    reported = comparison_rows.reported(wanted)
    begun = queue.send("comparisons", (one.message for one in wanted if one.name not in reported))

    overdue = islice(charge_rows.JOURNALS.due(now), MOST_OVERDUE)
    return begun + queue.send("charges", (charge_messages.once(charge) for charge in overdue))
