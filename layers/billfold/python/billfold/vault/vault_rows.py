"""What the vault sealed, apart from everything else: only the steps that bind, authenticate and reseal may touch this table.

pk     sk     what
crd_…  vault  the card number and the person's details, sealed under one data key; the details go once they are not needed
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from billfold.tables.commits import Commit
from billfold.tables.rows import Row, Wanted, indexed, single, table
from billfold.vault import Sealed

NUMBER, PERSON = "number", "person"


class VaultRow(Row):
    class Meta:
        table_name = table("vault")

    SORT = "vault"
    generation = UnicodeAttribute()
    data_key = BinaryAttribute(legacy_encoding=False)
    number = BinaryAttribute(legacy_encoding=False)
    person = BinaryAttribute(legacy_encoding=False, null=True)


def parts(number: str, holder: str, person: Any) -> dict[str, bytes]:
    """What is sealed of a card: its number, and what its bank checks of the person."""
    return {NUMBER: number.encode(), PERSON: msgspec.json.encode([holder, person])}


def read_parts(opened: dict[str, bytes]) -> tuple[str, str, Any]:
    """Number, holder and person, as `parts` was given them."""
    holder, person = msgspec.json.decode(opened[PERSON])
    return opened[NUMBER].decode(), holder, person


def sealed(card_id: str) -> Wanted[dict[str, Sealed] | None]:
    """What is sealed of a card, by its parts; None: nothing."""
    return single(VaultRow, card_id, VaultRow.SORT, to_parts)


def to_parts(row: VaultRow) -> dict[str, Sealed]:
    """The parts that a row holds."""
    parts = {NUMBER: row.number, PERSON: row.person}
    return {part: Sealed(row.generation, row.data_key, text) for part, text in parts.items() if text is not None}


def add_parts(commit: Commit, card_id: str, parts: dict[str, Sealed], before: dict[str, Sealed] | None = None) -> None:
    """Add a card's sealed parts to a commit; they are new, or (resealed) what was read is as it was."""
    number, person = parts[NUMBER], parts.get(PERSON)
    row = VaultRow(
        card_id,
        VaultRow.SORT,
        generation=number.generation,
        data_key=number.data_key,
        number=number.ciphertext,
        person=person.ciphertext if person else None,
    )
    if before is None:
        commit.put_new(row)
    else:
        commit.put(row, VaultRow.data_key == before[NUMBER].data_key)


def forget_person(commit: Commit, card_id: str) -> None:
    """Add to a commit that the bank needs the person's details no more."""
    commit.update(VaultRow(card_id, VaultRow.SORT), [VaultRow.person.remove()], VaultRow.pk.exists())


def erase(commit: Commit, card_id: str) -> None:
    """Add to a commit that nothing of a card stays."""
    commit.delete((VaultRow, card_id, VaultRow.SORT))


def sealed_under(*generations: str, most: int | None = None) -> Iterator[str]:
    """The cards that are sealed under these generations of keys, by their index: `most` of them at most."""
    values = ({":generation": {"S": generation}} for generation in generations)
    found = (card for one in values for card in indexed(VaultRow, "by_generation", "generation = :generation", one))
    return islice(found, most)
