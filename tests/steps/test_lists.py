"""Lists in pages: limits, and cursors that are opaque, signed, and good for one caller, path and filter only."""

from dataclasses import replace

import pytest

from billfold.triggers import lists as pages
from tests import world
from tests.cloud import delivery
from tests.steps import listings
from tests.steps.listings import Listing
from tests.world import ROUTES, Person, Response, call, event


@pytest.fixture(scope="module")
def lists(store, banking) -> dict[str, Listing]:
    """Every list, with all that follows from what is in it."""
    delivery.begin(store)
    made = {name: make(banking) for name, make in listings.ALL.items()}
    delivery.deliver(store, banking.queues)
    return made


@pytest.fixture
def cursors(lists) -> dict[str, Listing]:
    """The lists that go on by cursors; what tells the position itself needs none."""
    return {name: one for name, one in lists.items() if one.follow == "cursor"}


def test_every_list_is_tried(lists):
    """A step that takes `limit` has a list here."""
    paged = {module.__name__ for *_, module in ROUTES if pages.LIMIT in module.handler.query}
    tried = {event("GET", one.path, one.person)[0].__name__ for one in lists.values()}
    absent = {f"tests/steps/{name.split('.')[1]}/listings.py, for {name}" for name in paged - tried}
    assert not absent, f"make a list: {sorted(absent)}"
    by_cursor = {event("GET", one.path, one.person)[0].__name__ for one in lists.values() if one.follow == "cursor"}
    assert by_cursor == {module.__name__ for *_, module in ROUTES if pages.CURSOR in module.handler.query}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 14, 100])
@pytest.mark.parametrize("name", listings.ALL)
def test_pages_cover_everything_exactly_once_in_one_order(lists, name, limit):
    """LG-09: whatever the limit; every page but the last is full, and only the last has no next."""
    listing = lists[name]
    found = listing.pages(limit)
    whole = listing.page(limit="100").body["items"]
    assert [one for page in found for one in page] == whole
    assert len(whole) == listing.count
    assert {len(page) for page in found[:-1]} <= {limit}
    assert 0 < len(found[-1]) <= limit


def test_the_oldest_first_is_the_newest_first_turned_round(lists):
    """LG-09: one statement, two directions."""
    statement = lists["newest entries"]
    turned = replace(statement, query={"order": "oldest"})
    newest, oldest = (one.page(limit="100").body["items"] for one in (statement, turned))
    assert newest == oldest[::-1]
    assert [entry["at"] for entry in oldest] == sorted(entry["at"] for entry in oldest)


def test_a_filtered_page_may_be_short_and_still_have_a_next(lists):
    """A page of bills reads as many as it may show; what the filter leaves out is not read for again."""
    person = lists["bills"].person
    active = world.opened(person)
    lists["bills"].count += 1
    found = replace(lists["bills"], query={"state": "active"}).pages(2)
    world.close(person, active)
    assert [one["id"] for page in found for one in page] == [active]
    assert len(found) > 1


def test_without_a_limit_a_page_has_twenty(visitor, store, queues):
    """A client that says nothing gets a page that a phone can show."""
    for _ in range(11):
        world.close(visitor, world.opened(visitor))
    delivery.deliver(store, queues)
    answer = call("GET", "/v1/events", visitor)
    assert len(answer.body["items"]) == 20
    assert answer.body["next"] == answer.body["items"][-1]["id"]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "0001000", "1.5", "1e1", "ten", "", " 5", "٥"])
@pytest.mark.parametrize("name", listings.ALL)
def test_a_limit_is_a_number_from_one_to_a_hundred(lists, name, limit):
    """Anything else is refused, with a pointer to the parameter."""
    answer = lists[name].page(limit=limit)
    assert (answer.status, answer.body["pointer"]) == (400, "/limit")


def cursor_of(listing: Listing) -> str:
    return str(listing.page(limit="2").body["next"])


def refused(answer: Response) -> bool:
    return (answer.status, answer.body.get("pointer")) == (400, "/cursor")


def test_a_cursor_that_was_touched_is_refused(cursors):
    """It is signed: no position can be made up."""
    for name, listing in cursors.items():
        cursor = cursor_of(listing)
        assert listing.page(limit="5", cursor=cursor).status == 200
        for number in range(len(cursor) - 1):
            touched = cursor[:number] + ("A" if cursor[number] != "A" else "B") + cursor[number + 1 :]
            assert refused(listing.page(cursor=touched)), (name, number)
        for made_up in ("x", "A" * 22, "A" * 40, cursor[:20], cursor + "AAAA", "%00", "ü", "=" * 8):
            assert refused(listing.page(cursor=made_up)), (name, made_up)


def test_a_cursor_is_good_for_its_caller_only(cursors):
    """Carried to somebody else, who may see the same path of their own, or nothing of it, it says nothing."""
    for name, listing in cursors.items():
        stranger = Person()
        answer = listing.page(stranger, cursor=cursor_of(listing))
        hidden = listing.page(stranger).status == answer.status == 404
        assert refused(answer) or hidden, (name, answer)


def test_a_cursor_is_good_for_its_path_only(lists):
    """One of bills opens no devices, one of dollars no euros."""
    bills = lists["bills"]
    assert refused(bills.page(path="/v1/devices", cursor=cursor_of(bills)))
    dollars = lists["newest entries"]
    assert refused(dollars.page(path="/v1/wallets/EUR/entries", cursor=cursor_of(dollars)))


def others(listing: Listing) -> list[dict[str, str]]:
    """The list's filters, each with another value than it has."""
    step, _ = event("GET", listing.path, listing.person)
    filters = [one for one in step.handler.query if one not in pages.PAGED]
    now = {one.name: listing.query.get(one.name, one.default) for one in filters}
    values = {one.name: one.schema.get("enum", ["EUR", "USD"]) for one in filters}
    return [{name: next(value for value in values[name] if value and value != now[name])} for name in values]


def test_a_cursor_is_good_for_its_filter_only(cursors):
    """The limit alone may change on the way."""
    tried = [(name, listing, query) for name, listing in cursors.items() for query in others(listing)]
    assert {name for name, *_ in tried} >= {"bills", "newest entries", "oldest entries", "merchant's entries"}
    for name, listing, query in tried:
        assert refused(listing.page(cursor=cursor_of(listing), **query)), (name, query)


def test_what_comes_meanwhile_moves_no_page(lists):
    """A cursor is a position, not a count: nothing is shown twice or left out."""
    listing = lists["bills"]
    first = listing.page(limit="3").body
    world.close(listing.person, world.opened(listing.person))
    listing.count += 1
    rest = listing.page(limit="100", cursor=first["next"]).body["items"]
    whole = listing.page(limit="100").body["items"]
    assert first["items"] + rest == whole[1:]
