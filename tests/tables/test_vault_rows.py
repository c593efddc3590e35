"""The vault's rows on a real engine: what was sealed comes back, is forgotten in part or whole, and is found by generation."""

import json
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from billfold.errors import Stale
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.vault import Sealed, vault_rows
from tests.tables.scripts import scripted

pytestmark = pytest.mark.usefixtures("store")

OLD_ROWS = pathlib.Path(__file__).parent / "vault_rows_v1.json"


def sealed(generation: str = "1", name: bytes = b"") -> dict[str, Sealed]:
    """What the vault made of a number and a person; bytes that are no text."""
    key = b"\x00\xffkey" + name
    return {part: Sealed(generation, key, b"\x80\x00" + part.encode() + name) for part in ("number", "person")}


def committed(fill: Callable[[Commit], Any]) -> None:
    commit = Commit(uuid.uuid4().hex)
    fill(commit)
    commit.send()


def put(card_id: str, parts: dict[str, Sealed], **options: Any) -> None:
    committed(lambda commit: vault_rows.add_parts(commit, card_id, parts, **options))


def kept(card_id: str) -> dict[str, Sealed]:
    return fetch(vault_rows.sealed(card_id)) or {}


def test_what_was_sealed_is_read_as_it_was_written(store):
    """CB-19: byte for byte; there is nothing else in the row."""
    put("crd_1", sealed())
    assert kept("crd_1") == sealed()
    [row] = store.rows("vault")
    assert set(row) == {"pk", "sk", "generation", "data_key", "number", "person"}
    assert set(row["number"]) == set(row["person"]) == set(row["data_key"]) == {"B"}


def test_rows_written_by_the_first_version_can_be_read(store):
    """Stored data outlives code: a card whose number cannot be read any more cannot be moved to new keys."""
    for row in json.loads(OLD_ROWS.read_text()):
        binary = {name: {"B": bytes.fromhex(value["B"])} if "B" in value else value for name, value in row.items()}
        store.client.put_item(TableName="billfold-vault", Item=binary)
    assert kept("crd_old") == sealed()
    assert kept("crd_old_active") == {"number": sealed()["number"]}
    assert sorted(vault_rows.sealed_under("1")) == ["crd_old", "crd_old_active"]


def test_a_card_is_sealed_once():
    """CB-19: a second binding under the same id never overwrites the first one's number."""
    put("crd_1", sealed())
    with pytest.raises(Stale):
        put("crd_1", sealed(name=b" other"))
    assert kept("crd_1") == sealed()


def test_a_reseal_replaces_exactly_what_was_read():
    """CB-19: another reseal in between, or the card's end, and it is stale; what is erased never comes back."""
    put("crd_1", sealed())
    put("crd_1", sealed("2", b" new"), before=sealed())
    assert kept("crd_1") == sealed("2", b" new")
    with pytest.raises(Stale):
        put("crd_1", sealed("2", b" newer"), before=sealed())
    committed(lambda commit: vault_rows.erase(commit, "crd_1"))
    with pytest.raises(Stale):
        put("crd_1", sealed("3"), before=sealed("2", b" new"))
    assert kept("crd_1") == {}


def test_the_person_is_forgotten_and_the_number_stays():
    """CB-05: once the bank needs it no more; a second time changes nothing."""
    put("crd_1", sealed())
    for _ in range(2):
        committed(lambda commit: vault_rows.forget_person(commit, "crd_1"))
        assert kept("crd_1") == {"number": sealed()["number"]}


def test_a_person_is_not_forgotten_where_nothing_is_kept(store):
    """CB-05: an erased row does not come to life again, empty."""
    with pytest.raises(Stale):
        committed(lambda commit: vault_rows.forget_person(commit, "crd_gone"))
    assert store.rows("vault") == []


def test_nothing_of_a_card_that_is_over_stays(store):
    """CB-19, CB-20: the row is deleted; erasing what is gone is no error."""
    put("crd_1", sealed())
    for _ in range(2):
        committed(lambda commit: vault_rows.erase(commit, "crd_1"))
        assert (kept("crd_1"), store.rows("vault")) == ({}, [])


def test_cards_are_found_by_the_generation_that_sealed_them():
    """CB-19: the rotation's work list; resealed, a card is on the next one."""
    for number in range(5):
        put(f"crd_{number}", sealed("1" if number < 3 else "2"))
    assert sorted(vault_rows.sealed_under("1")) == ["crd_0", "crd_1", "crd_2"]
    put("crd_0", sealed("2", b" new"), before=sealed())
    assert sorted(vault_rows.sealed_under("1")) == ["crd_1", "crd_2"]
    assert sorted(vault_rows.sealed_under("2")) == ["crd_0", "crd_3", "crd_4"]
    assert list(vault_rows.sealed_under("3")) == []


def test_a_run_takes_what_it_can_and_the_next_goes_on_with_what_is_left():
    """CB-19, issue 7 A5: what was resealed has left the index, so that a million seals need no place to resume from."""
    for number in range(7):
        put(f"crd_{number}", sealed("1" if number % 2 else "2"))
    taken = []
    while found := list(vault_rows.sealed_under("2", "1", most=3)):
        taken.append(len(found))
        for card in found:
            committed(lambda commit, card=card: vault_rows.erase(commit, card))
    assert taken == [3, 3, 1]


def test_a_long_list_is_read_page_after_page():
    """CB-19: no card is left behind on the first page."""
    first = {"Items": [{"pk": {"S": "crd_1"}}], "LastEvaluatedKey": {"pk": {"S": "crd_1"}, "sk": {"S": "vault"}}}
    with scripted("Query", first, {"Items": [{"pk": {"S": "crd_2"}}]}) as sent:
        assert list(vault_rows.sealed_under("1")) == ["crd_1", "crd_2"]
    assert [call.get("ExclusiveStartKey") for call in sent] == [None, first["LastEvaluatedKey"]]
