"""What happened to a user or a merchant, to be told: put with the change itself, carried on by the table's stream.

pk               sk      what
usr_… or mer_…   out_…   an event for this audience; deleted by TTL when it can no longer be told again

Users, phones, PINs, merchants and terminals are kept as they are, so their rows do not say what happened; this row does.
What is kept as its changes (bills, cards, charges, transfers) needs none: there each change is the event.
"""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold import ids
from billfold.clock import SECOND
from billfold.events import TOLD_KEPT, OutboxKind
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Row, table


class OutboxRow(Row):
    class Meta:
        table_name = table("outbox")

    kind = UnicodeAttribute()
    about = UnicodeAttribute()
    at = Integer()
    facts = Json()
    expires_at = Integer()


def tell(commit: Commit, kind: OutboxKind, audience: str, about: str, now: int, **facts: Any) -> None:
    """Add to a commit that this happened, for its audience (XX-03). Two write units."""
    expires_at = (now + TOLD_KEPT) // SECOND
    row = OutboxRow(audience, ids.new("out", now), kind=kind, about=about, at=now, facts=facts, expires_at=expires_at)
    commit.put_new(row)
