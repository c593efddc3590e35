"""Logs: lines numbered without gaps in the order in which they are committed. A feed of events and a statement are logs.

pk              sk              what
<log>           000000000417    a line; its number is a reader's cursor, which therefore only grows, and skips nothing
<change>/<log>  change          that this change was told to this log

A line is put at the last number + 1 where no line is, together with what says that its change was told where nothing said so
yet. So no number is given twice, none is left out, and no change is told twice, whoever writes and however often. The FIFO
queue before it gives each log one writer at a time, which is why two hardly ever meet. Four write units a line.
"""

from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import Attribute

from billfold.errors import Invalid
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Key, Row, pages, read

# Beyond every number and before what statements once had as keys, which began with an instant of thirteen digits.
END = "1"
DIGITS = 12


class ToldRow(Row):
    """`expires_at`: when a change can no longer be told again; it stays for ever without one."""

    SORT = "change"
    expires_at: Attribute[int] = Integer(null=True)


def append(told: type[ToldRow], lines: Mapping[str, Row], expires_at: int | None = None) -> int:
    """Add lines to their one log in one transaction, each unless its change was told to it before, and say how many were new.

    `lines` by their changes, at most 50; each is put under the number that is next. Raises Stale when another came between.
    """
    keys: dict[str, Key] = {change: (told, f"{change}/{line.pk}", ToldRow.SORT) for change, line in lines.items()}
    known = read(keys.values())
    new = {change: line for change, line in lines.items() if keys[change] not in known}
    if not new:
        return 0
    (log,), (model,) = {line.pk for line in new.values()}, {type(line) for line in new.values()}
    with Commit(f"{log}/{'/'.join(new)}") as commit:
        for number, (change, line) in enumerate(new.items(), _last(model, log) + 1):
            line.sk = f"{number:0{DIGITS}d}"
            commit.put_new(line)
            commit.put_new(told(keys[change][1], ToldRow.SORT, expires_at=expires_at))
    return len(new)


def _last(model: type[Row], log: str) -> int:
    newest = page(model, log, newest_first=True, limit=1)
    return int(newest[0]["sk"]["S"]) if newest else 0


def page(
    model: type[Row], log: str, *, after: str = "", newest_first: bool = False, limit: int
) -> list[dict[str, Any]]:
    """A log's raw lines beyond the number `after` (empty for the start), in order or backwards."""
    if after and not is_number(after):
        raise Invalid("this cursor was not made for this list", "/cursor")
    bounds = {"before": after or END} if newest_first else {"after": after or "0", "before": END}
    return list(pages(model, log, newest_first=newest_first, limit=limit, **bounds))


def is_number(text: str) -> bool:
    """Whether this is a line's number as it is written. None is beyond END, and DynamoDB refuses bounds the wrong way round."""
    return len(text) == DIGITS and text.isascii() and text.isdecimal() and text < END
