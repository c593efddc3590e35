"""Compare yesterday's charges with each bank's own list, report every difference, and have what is settling asked for again.

Trigger   every day
Reads     index of days, charges; index of deadlines
Writes    report                             (one transaction a bank)
Answers   how many differences there are; an error, once all others are compared, for a bank that did not answer
Again     comparing again replaces the report
May       charges BatchGetItem PutItem Query:by_day Query:due; queue charges; bank
Layers    stripe
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from billfold import banks, charges
from billfold.banks import Listed, issuers
from billfold.charges import Line
from billfold.clock import HOUR, SECOND
from billfold.errors import Unavailable
from billfold.tables import charge_rows
from billfold.tables.rows import DUE_SHARDS, Commit, due
from billfold.triggers import log, queue, schedule

DAY = 24 * HOUR


@schedule.step
def handler(now: int) -> int:
    until = now - now % DAY
    since = until - DAY
    day = f"{datetime.fromtimestamp(since // SECOND, UTC):%Y-%m-%d}"
    overdue = (charge for shard in range(DUE_SHARDS) for charge in due(charge_rows.HeadRow, "charges", shard, now))
    queue.send("charges", (f"{charge} once" for charge in overdue))

    found, silent = 0, []
    for bank in issuers.banks():
        try:
            # Up to now: what a bank answered late it may have done hours after we began, on the next day.
            theirs = list(_listed(bank, since - HOUR, max(now, until + HOUR)))
        except Unavailable:
            silent.append(bank)
            continue
        lines = charge_rows.lines(bank, [since - DAY, since, until])
        ours = [charges.as_counted(line, bank) for line in lines]
        differences = charges.compare(ours, theirs, since, until)
        for difference in differences:
            there = difference.there.reference if difference.there else ""
            facts = {"bank": bank, "charge": difference.key, "reference": there, "kind": difference.kind}
            log.line("differs", "reconcile_charges", 0, facts, failed=True)
        found += len(differences)
        commit = Commit(f"{bank}/{day}/{now}")
        charge_rows.put_report(commit, bank, day, len(ours), differences)
        commit.send()
    if silent:
        raise Unavailable()
    return found


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
