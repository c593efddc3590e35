"""What the header of a step's file must say, and how it is mended where it says something else.

A header is the file's docstring: a summary, an empty line, then the fields of `FIELDS` in their order. `LAST` are there where
they are needed: `Runs` says what its function gets other than the defaults (`infra/plan/settings.py`), `Layers` names layers that
this function has besides the two of every function, `Carries` files that its package holds besides the step's own.
"""

import inspect
import re
from collections.abc import Iterator
from difflib import get_close_matches

from infra.plan.permissions import May
from infra.plan.triggers import Route, Trigger

FIELDS = {
    "Trigger": "what starts the step, as app.py ties it, such as `GET /v1/bills`, `queue due-bills` or `every minute`",
    "Reads": "the rows that it reads, or `nothing`",
    "Writes": "the rows that it writes, or `nothing`",
    "Answers": "each status or word that it answers with, and when",
    "Again": "what happens when the same call or message comes again",
    "May": "the role of its function, in the words of infra/plan/permissions.py, or `nothing`",
}
LAST = ("Runs", "Layers", "Carries")
# What stands for a word of a new step's header that its author has still to say.
UNSAID = "…"
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}


def parse(text: str) -> dict[str, str]:
    """A step's docstring as fields; the first paragraph is its `summary`. A field may go on in lines that are indented."""
    summary, _, rest = inspect.cleandoc(text).partition("\n\n")
    fields = {"summary": " ".join(summary.split())}
    name = ""
    for line in rest.splitlines():
        match = re.match(r"([A-Z][a-z]+)\s{2,}(\S.*)", line)
        if match:
            name = match[1]
            fields[name] = match[2].strip()
        elif line.startswith(" ") and name:
            fields[name] += " " + line.strip()
    return fields


def faults(name: str, fields: dict[str, str], trigger: Trigger, may: May | None) -> Iterator[str]:
    """What is wrong with a header, each fault with its mend; `may` is None where the line `May` was not understood."""
    if not fields["summary"]:
        yield "say what the step does in the first line of its docstring"
    yield from _misplaced([field for field in fields if field != "summary"])
    for field, text in fields.items():
        if UNSAID in text.split():
            yield f"say what stands as `{UNSAID}` in {'its first line' if field == 'summary' else f'`{field}`'}"
    said = _trigger(fields)
    if said and said != str(trigger):
        yield (
            f"its header says `Trigger   {said}` and app.py `{trigger}`: write the latter into the header, "
            f"or the line {line_of(fields, name)} into app.py"
        )
    elif said and isinstance(trigger, Route) and ("(anyone)" in fields["Trigger"]) is trigger.signed_in:
        yield (
            "its header says `(anyone)` after the path: take that out, or write signed_in=False into its line of app.py"
            if trigger.signed_in
            else "app.py says signed_in=False: write `(anyone)` after the path in the header, or take that out"
        )
    if may and "Writes" in fields:
        yield from _unwritten(fields, may)


def _unwritten(fields: dict[str, str], may: May) -> Iterator[str]:
    writes = sorted({action for actions in may.actions.values() for action in actions} & WRITES)
    unsaid = UNSAID in fields["Writes"].split()
    if "May" in fields and not unsaid and bool(writes) is (fields["Writes"] == "nothing"):
        yield (
            f"`Writes` says nothing and `May` {', '.join(writes)}: name the rows in `Writes`, or take that out of `May`"
            if writes
            else "`Writes` names rows and `May` no action that writes any: add PutItem, UpdateItem or DeleteItem "
            "to their tables, or say `Writes    nothing`"
        )


def line_of(fields: dict[str, str], name: str) -> str:
    """The line of app.py that a step's header asks for: `queue due-bills` → `queue("due-bills", end_bills)`."""
    word, _, rest = _trigger(fields).partition(" ")
    if word.isupper():
        signed_in = ", signed_in=False" if "(anyone)" in fields["Trigger"] else ""
        return f'http("{word}", "{rest}", {name}{signed_in})'
    if word in ("queue", "stream", "upload"):
        return f'{word}("{rest}", {name}{", keep_days=1" * (word == "upload")})'
    if word == "every":
        return f"every_{rest.partition(' at ')[0].replace(' ', '_')}({name})"
    return f"task({name})" if word == "task" else f'http("GET", "/v1/…", {name})'


def _trigger(fields: dict[str, str]) -> str:
    """What the header names as trigger, without who may call it."""
    return re.sub(r"\s*\(.*\)$", "", fields.get("Trigger", ""))


def _misplaced(found: list[str]) -> Iterator[str]:
    wanted = [*FIELDS, *LAST]
    missing = [field for field in FIELDS if field not in found]
    for field in missing:
        yield f"add the line `{field.ljust(9)} …` to the header: {FIELDS[field]}"
    for field in found:
        if field not in wanted:
            near = get_close_matches(field, wanted, n=1)
            yield f"the header has a field `{field}`: " + (f"call it `{near[0]}`" if near else "take it out")
    known = [field for field in found if field in wanted]
    if known != sorted(known, key=wanted.index):
        yield f"put the header's fields into this order: {', '.join(sorted(known, key=wanted.index))}"
