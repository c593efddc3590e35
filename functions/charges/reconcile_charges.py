"""Compare each day's charges with each bank's own list, report every difference, and have what is settling asked for again.

Trigger   every day at 02:10 UTC
Reads     reports; index of days, charges; index of deadlines
Writes    report                             (one transaction a bank and day)
Answers   how many differences there are; an error, once all others are compared, for a bank that did not answer
Again     a day that has a report is left alone; one that has none, of the last fourteen, is compared, and one of which a
          charge was still settling once more
May       charges BatchGetItem PutItem Query:by_day Query:due; queue charges; bank
Layers    stripe
"""

from collections.abc import Iterator
from itertools import islice

from billfold import banks, charges
from billfold.banks import Listed, issuers
from billfold.charges import Day, Line
from billfold.errors import Unavailable
from billfold.tables import charge_rows
from billfold.tables.rows import DUE_SHARDS, Commit, due
from billfold.triggers import log, queue, schedule

# As many as are sent within a few seconds; the most overdue of each shard come first.
MOST_OVERDUE = 10_000


@schedule.step
def handler(now: int) -> int:
    overdue = (charge for shard in range(DUE_SHARDS) for charge in due(charge_rows.HeadRow, "charges", shard, now))
    queue.send("charges", (f"{charge} once" for charge in islice(overdue, MOST_OVERDUE)))

    wanted = [(bank, day) for day in charges.days_to_compare(now) for bank in issuers.banks()]
    reported = charge_rows.reported([(bank, day.name) for bank, day in wanted], now)
    found, silent = 0, set[str]()
    for bank, day in wanted:
        if (bank, day.name) in reported or bank in silent:
            continue
        try:
            found += _compare(bank, day, now)
        except Unavailable:
            silent.add(bank)
    if silent:
        raise Unavailable()
    return found


def _compare(bank: str, day: Day, now: int) -> int:
    """How many differences a day has, which are logged and reported; Unavailable when the bank does not answer."""
    theirs = list(_listed(bank, day.listed_since, day.listed_until(now)))
    ours = [charges.as_counted(line, bank) for line in charge_rows.lines(bank, day.around)]
    differences = charges.compare(ours, theirs, day.since, day.until)
    for difference in differences:
        there = difference.there.reference if difference.there else ""
        facts = {"bank": bank, "day": day.name, "charge": difference.key, "reference": there, "kind": difference.kind}
        log.line("differs", "reconcile_charges", 0, facts, failed=True)
    commit = Commit(f"{bank}/{day.name}/{now}")
    charge_rows.put_report(commit, bank, day.name, len(ours), differences, day.again_at(ours, now))
    commit.send()
    return len(differences)


def _listed(bank: str, since: int, until: int) -> Iterator[Line]:
    """The bank's own list."""
    adapter, cursor = banks.bank(bank), ""
    while True:
        page, cursor = adapter.charges(since, until, cursor)
        yield from (_line(one) for one in page)
        if not cursor:
            return


def _line(one: Listed) -> Line:
    return Line(one.key, one.amount, one.currency, "settled", one.at, one.kind, one.reference)
