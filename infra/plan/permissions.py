"""What a step may do, as the `May` line of its header says.

    May   bills PutItem Query UpdateItem Query:by_owner; merchants BatchGetItem; queue due-bills

A table with the actions on it (`Action:index` is on that index alone), `queue` and its name, `postpone` and its queue (it leaves a
message there for later), `kms` and its actions (`Action:kind`: for what is sealed as that kind of thing), `bucket` or `machine`
with its name and actions, `bank` (it calls banks), `issuers` (it looks up which bank serves a card), `top_ups` (it knows how much
may be topped up), `reader` (it reads pictures), `generations` (it tells the vault's keys apart without using them), or `nothing`.
The roles are made from this line; a test compares it with what the code does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from infra.plan import tables
from infra.plan.queues import queue_names
from infra.plan.state_machines import machines
from infra.plan.triggers import Upload, every


@dataclass(frozen=True)
class May:
    """What a step may do: DynamoDB actions by (table, index or empty), the queues it may send to and postpone messages of, KMS
    actions, actions by bucket and by state machine, and whether it calls banks, looks up which one serves a card, knows the maxima
    of top-ups, calls a reader of pictures, or asks for the generations of keys alone."""

    actions: dict[tuple[str, str], tuple[str, ...]]
    queues: tuple[str, ...] = ()
    postpones: tuple[str, ...] = ()
    kms: tuple[str, ...] = ()
    buckets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    machines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bank: bool = False
    issuers: bool = False
    top_ups: bool = False
    reader: bool = False
    generations: bool = False


def permissions(text: str) -> May:
    """A header's `May` line, understood; ValueError when it names a table, index, action or thing that does not exist."""
    actions: dict[tuple[str, str], tuple[str, ...]] = {}
    named: dict[str, dict[str, tuple[str, ...]]] = {"bucket": {}, "machine": {}}
    lists: dict[str, list[str]] = {"queue": [], "postpone": [], "kms": [], "nothing": []}
    alone = dict.fromkeys(("bank", "issuers", "top_ups", "reader", "generations"), False)
    for clause in text.split(";"):
        subject, *words = clause.split() or [""]
        if not words and subject not in {*alone, "nothing"}:
            raise ValueError(f"May names {subject!r} and nothing to do with it")
        if subject in named:
            named[subject][words[0]] = tuple(words[1:])
        elif subject in lists:
            lists[subject] += words
        elif subject in alone:
            alone[subject] = True
        else:
            for action, index in _on_table(subject, words):
                actions[subject, index] = (*actions.get((subject, index), ()), action)
    buckets = [upload.bucket for upload in every(Upload)]
    for kind, known in (("bucket", buckets), ("machine", machines())):
        if unknown := set(named[kind]) - set(known):
            raise ValueError(f"May names a {kind} that does not exist: {', '.join(sorted(unknown))}")
    if unknown := {*lists["queue"], *lists["postpone"]} - {*queue_names(sandbox_bank=True)}:
        raise ValueError(f"May names queues that no step of app.py reads: {', '.join(sorted(unknown))}")
    queues, postpones, kms = (tuple(lists[kind]) for kind in ("queue", "postpone", "kms"))
    return May(actions, queues, postpones, kms, named["bucket"], named["machine"], **alone)


def _on_table(subject: str, words: list[str]) -> Iterator[tuple[str, str]]:
    known = {(table.name, "") for table in tables.TABLES}
    known |= {(table.name, index.name) for table in tables.TABLES for index in table.indexes}
    for word in words:
        action, _, index = word.partition(":")
        if (subject, index) not in known or not re.fullmatch(r"[A-Z][A-Za-z]+", action):
            raise ValueError(f"May says {word!r} on {subject!r}, which does not exist")
        yield action, index
