"""Journals: things kept as a small head and their changes, in one partition. Bills, cards and charges are such things.

    pk     sk             what
    bil_…  #              the head: what conditions and indexes need, and always `revision`
    bil_…  00000001, …    the changes, immutable; each is also the idempotency record of the request that made it

Every step writes the head and one change: four write units however long the journal. The head's revision must be the one
that was read, so two writers can never both act on the same state; the change's number is the same promise once more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial, reduce
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from billfold.changes import Change
from billfold.errors import IdempotencyKeyReused, NotFound
from billfold.tables.commits import Commit
from billfold.tables.rows import (
    Integer,
    Json,
    Key,
    Row,
    Wanted,
    as_stored,
    call,
    due,
    due_shard,
    fetch,
    pages,
    several,
    single,
)

HEAD = "#"
OWN_COLUMNS = {"operation", "request"}


class Thing(Protocol):
    """What every thing that is kept as a journal says of itself. `due_at`: when time alone will change it, if it will."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def owner(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def due_at(self) -> int | None: ...


class HeadRow(Row):
    """A head. What else a noun's conditions, lists and indexes need are columns of its subclass."""

    SORT = HEAD
    owner = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = Integer()
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)


class ChangeRow(Row):
    """A change, with the owner and the state that it led to. What else its followers need are columns of a subclass."""

    kind = UnicodeAttribute()
    facts = Json()
    operation = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    user = UnicodeAttribute()
    state = UnicodeAttribute()


ThingT = TypeVar("ThingT", bound=Thing)
ChangeT = TypeVar("ChangeT", bound=Change)
HeadT = TypeVar("HeadT", bound=HeadRow)
RowT = TypeVar("RowT", bound=ChangeRow)


class UnknownKind(Exception):
    """A change of a kind that only a newer writer knows."""


@dataclass(frozen=True, slots=True)
class Journal(Generic[ThingT, ChangeT]):
    """A thing as it is, with the changes that made it so. `rebuild` adds changes up."""

    present: ThingT
    changes: tuple[ChangeT, ...]
    rebuild: Callable[[Sequence[ChangeT]], ThingT]

    def repeat(self, operation: str, request: str) -> tuple[ThingT, ChangeT] | None:
        """The thing as this operation's change left it, and that change, for the first answer once more; None: not done before.

        Raises IdempotencyKeyReused when a request of another fingerprint than `request` made the change.
        """
        for revision, change in enumerate(self.changes, 1):
            if change.operation == operation:
                if change.request != request:
                    raise IdempotencyKeyReused()
                return self.at(revision), change
        return None

    def at(self, revision: int) -> ThingT:
        """The thing as it was after so many changes."""
        return self.rebuild(self.changes[:revision])


@dataclass(frozen=True, slots=True)
class Journals(Generic[ThingT, ChangeT, HeadT, RowT]):
    """All journals of one noun, in the table `name`: what its module of rows declares once.

    `new` and `after` are the noun's rules: the thing that its first change makes, and the thing with one more change.
    `head_columns` says what the columns of the noun's own hold in a thing's head, `change_columns` what they hold in a change's
    row, of the thing before (None: there was none) and after the change. `condition` is what else than its revision must still
    hold of a head when a change is written. `head_alone` names what no change keeps, because a change stays for ever: the head
    has it in its column of that name, while it is needed.
    """

    name: str
    kinds: Mapping[str, type[ChangeT]]
    head_row: type[HeadT]
    change_row: type[RowT]
    id_of: Callable[[ThingT], str]
    new: Callable[[str, ChangeT], ThingT]
    after: Callable[[ThingT, ChangeT], ThingT]
    head_columns: Callable[[ThingT], dict[str, Any]]
    change_columns: Callable[[ThingT | None, ThingT, ChangeT], dict[str, Any]]
    condition: Callable[[ChangeT], Condition | None] = lambda _: None
    head_alone: tuple[str, ...] = ()

    # ----------------------------------------------------------------------------------------------------------- reads

    def load(self, thing_id: str) -> Journal[ThingT, ChangeT]:
        """A thing and its changes, by one Query; NotFound."""
        items = {item["sk"]["S"]: item for item in pages(self.change_row, thing_id)}
        head = items.pop(HEAD, {})
        made = tuple(self._to_change(item) for item in items.values())
        if not made:
            raise NotFound()
        kept = {name: head[name]["S"] for name in self.head_alone if name in head}
        rebuild = partial(self._rebuild, thing_id)
        return Journal(replace(rebuild(made), **kept), made, rebuild)

    def _rebuild(self, thing_id: str, made: Sequence[ChangeT]) -> ThingT:
        return reduce(self.after, made[1:], self.new(thing_id, made[0]))

    def _to_change(self, item: dict[str, Any]) -> ChangeT:
        row = self.change_row.from_raw_data(item)
        facts = {**row.facts, "operation": row.operation or "", "request": row.request or ""}
        return msgspec.convert(facts, type=self.kinds[row.kind])

    def inserted(self, image: dict[str, Any]) -> RowT | None:
        """The change that a row inserted into the table is; None for other rows. Raises UnknownKind."""
        if not image["sk"]["S"].isdigit():
            return None
        row = self.change_row.from_raw_data(image)
        if row.kind not in self.kinds:
            raise UnknownKind()
        return row

    def head_key(self, thing_id: str) -> Key:
        return (self.head_row, thing_id, HEAD)

    def head(self, thing_id: str) -> Wanted[HeadT | None]:
        """A thing's head; None: unknown."""
        return single(self.head_row, thing_id, HEAD, as_stored)

    def owned(self, owner: str, *, before: str, limit: int) -> tuple[list[HeadT], str]:
        """The heads of a user's things, newest first, and the position after the last one (empty at the end).

        The index `by_owner` holds keys only, so that nothing but a thing's making writes to it; the heads are read by key.
        """
        arguments: dict[str, Any] = {
            "TableName": self.head_row.table(),
            "IndexName": "by_owner",
            "KeyConditionExpression": "#owner = :owner" + (" AND pk < :before" if before else ""),
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": owner}} | ({":before": {"S": before}} if before else {}),
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        found = [item["pk"]["S"] for item in call("Query", arguments)["Items"]]
        shown = found[:limit]
        heads = fetch(several(self.head_row, ((thing_id, HEAD) for thing_id in shown), as_stored))
        return heads, shown[-1] if len(found) > limit else ""

    def due(self, now: int) -> Iterator[str]:
        """The ids of the things that time should change now, by the index of deadlines."""
        return due(self.head_row, self.name, now)

    # ---------------------------------------------------------------------------------------------------------- writes

    def add_new(self, commit: Commit, thing_id: str, first: ChangeT) -> ThingT:
        """Add a new thing to a commit: its head, which must not exist, and its first change."""
        thing = self.new(thing_id, first)
        commit.record(self.head_row(thing_id, HEAD, owner=thing.owner, **self._columns(thing)))
        commit.put_new(self._change_row(None, thing, first))
        return thing

    def add_change(self, commit: Commit, before: ThingT, change: ChangeT, *more: Action) -> ThingT:
        """Add a thing's next change to a commit, on the condition that the thing is as it was read, and on the noun's own.

        The head is written where the change changes it, and by `more` actions.
        """
        thing = self.after(before, change)
        known, columns = self._columns(before), self._columns(thing)
        changed: list[Action] = []
        for name in (name for name in columns if columns[name] != known[name]):
            column: Attribute[Any] = getattr(self.head_row, name)
            changed.append(column.remove() if columns[name] is None else column.set(columns[name]))
        as_read, also = self.head_row.revision == before.revision, self.condition(change)
        row = self.head_row(self.id_of(thing), HEAD)
        commit.update(row, [*changed, *more], as_read if also is None else as_read & also)
        commit.record(self._change_row(before, thing, change))
        return thing

    def check_as_read(self, commit: Commit, thing: ThingT) -> None:
        """Add to a commit that a thing is as it was read."""
        commit.check(self.head_key(self.id_of(thing)), self.head_row.revision == thing.revision)

    def _columns(self, thing: ThingT) -> dict[str, Any]:
        """What a head says of a thing, but for its owner, who stays; None: it has no such column now."""
        due_at = thing.due_at
        shard = None if due_at is None else due_shard(self.name, self.id_of(thing))
        always = {"state": thing.state, "revision": thing.revision, "due_shard": shard, "due_at": due_at}
        return always | self.head_columns(thing)

    def _change_row(self, before: ThingT | None, thing: ThingT, change: ChangeT) -> RowT:
        names = [field.name for field in fields(change) if field.name not in OWN_COLUMNS]
        return self.change_row(
            self.id_of(thing),
            position(thing.revision),
            kind=next(kind for kind, known in self.kinds.items() if known is type(change)),
            facts={name: "" if name in self.head_alone else getattr(change, name) for name in names},
            operation=change.operation or None,
            request=change.request or None,
            user=thing.owner,
            state=thing.state,
            **self.change_columns(before, thing, change),
        )


def position(revision: int) -> str:
    """The sort key of the change that made this revision."""
    return f"{revision:08d}"
