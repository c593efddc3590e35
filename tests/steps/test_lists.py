"""Lists in pages: limits, and cursors that are opaque, signed, and good for one caller, path and filter only."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.clients.phones import Phone
from tests import world
from tests.cloud import delivery
from tests.world import Person, Response, call

COUNT = 7
LISTS = ("devices", "bills", "newest entries", "oldest entries", "merchant's entries", "terminals")


@dataclass
class Listing:
    """One list: whose, where, with which filters, and how many things are in it."""

    person: Person
    path: str
    count: int
    query: dict[str, str] = field(default_factory=dict)

    def page(self, person: Person | None = None, path: str = "", **query: str) -> Response:
        return call("GET", path or self.path, person or self.person, query=self.query | query)

    def pages(self, limit: int, follow: str = "cursor") -> list[list[Any]]:
        """All pages from the start, by following `next`."""
        found: list[list[Any]] = []
        at: dict[str, str] = {}
        while True:
            body = self.page(limit=str(limit), **at).body
            found.append(body["items"])
            if "next" not in body:
                return found
            at = {follow: body["next"]}
            assert len(found) <= self.count, "the pages have no end"


@pytest.fixture
def lists(store, request) -> dict[str, Listing]:
    """Someone with seven phones and bills, and a merchant with seven terminals and sales. Made once a file."""
    known: dict[str, Listing] | None = getattr(store, "lists", None)
    if known:
        return known
    queues = request.getfixturevalue("queues")
    person, shop = world.joined(), world.seller(terminals=COUNT)
    for _ in range(COUNT - 1):
        call("POST", "/v1/devices", person, {"name": "phone", "jwk": Phone().jwk})
    for number in range(COUNT):
        world.fund(person, 1000 + number)
        world.settled(person, (shop.tills[0], 100 + number))
    delivery.deliver(store, queues)
    entries = "/v1/wallets/USD/entries"
    store.lists = {
        "devices": Listing(person, "/v1/devices", COUNT),
        "bills": Listing(person, "/v1/bills", COUNT),
        "newest entries": Listing(person, entries, 2 * COUNT),
        "oldest entries": Listing(person, entries, 2 * COUNT, {"order": "oldest"}),
        "merchant's entries": Listing(shop.admin, f"/v1/merchants/{shop.merchant}/entries", COUNT),
        "terminals": Listing(shop.admin, f"/v1/merchants/{shop.merchant}/terminals", COUNT),
        "events": Listing(person, "/v1/events", 5 * COUNT + 1),
        "merchant's events": Listing(shop.admin, "/v1/events", 3 * COUNT + 1, {"merchant": shop.merchant}),
    }
    return store.lists


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 14, 100])
@pytest.mark.parametrize("name", [*LISTS, "events", "merchant's events"])
def test_pages_cover_everything_exactly_once_in_one_order(lists, name, limit):
    """LG-09: whatever the limit; every page but the last is full, and only the last has no next."""
    listing = lists[name]
    pages = listing.pages(limit, "after" if "events" in name else "cursor")
    whole = listing.page(limit="100").body["items"]
    assert [one for page in pages for one in page] == whole
    assert len(whole) == listing.count
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert 0 < len(pages[-1]) <= limit


def test_the_oldest_first_is_the_newest_first_turned_round(lists):
    """LG-09: one statement, two directions."""
    newest, oldest = (lists[f"{order} entries"].page(limit="100").body["items"] for order in ("newest", "oldest"))
    assert newest == oldest[::-1]
    assert [entry["at"] for entry in oldest] == sorted(entry["at"] for entry in oldest)


def test_a_filtered_page_may_be_short_and_still_have_a_next(lists):
    """A page of bills reads as many as it may show; what the filter leaves out is not read for again."""
    person = lists["bills"].person
    active = world.opened(person)
    pages = Listing(person, "/v1/bills", COUNT + 1, {"state": "active"}).pages(2)
    world.close(person, active)
    lists["bills"].count += 1
    assert [one["id"] for page in pages for one in page] == [active]
    assert len(pages) > 1


def test_without_a_limit_a_page_has_twenty(visitor, store, queues):
    """A client that says nothing gets a page that a phone can show."""
    for _ in range(11):
        world.close(visitor, world.opened(visitor))
    delivery.deliver(store, queues)
    answer = call("GET", "/v1/events", visitor)
    assert len(answer.body["items"]) == 20
    assert answer.body["next"] == answer.body["items"][-1]["id"]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "0001000", "1.5", "1e1", "ten", "", " 5", "٥"])
@pytest.mark.parametrize("name", [*LISTS, "events"])
def test_a_limit_is_a_number_from_one_to_a_hundred(lists, name, limit):
    """Anything else is refused, with a pointer to the parameter."""
    answer = lists[name].page(limit=limit)
    assert (answer.status, answer.body["pointer"]) == (400, "/limit")


def cursor_of(listing: Listing) -> str:
    return str(listing.page(limit="2").body["next"])


def refused(answer: Response) -> bool:
    return (answer.status, answer.body.get("pointer")) == (400, "/cursor")


@pytest.mark.parametrize("name", LISTS)
def test_a_cursor_that_was_touched_is_refused(lists, name):
    """It is signed: no position can be made up."""
    listing = lists[name]
    cursor = cursor_of(listing)
    assert listing.page(limit="5", cursor=cursor).status == 200
    for number in range(len(cursor) - 1):
        touched = cursor[:number] + ("A" if cursor[number] != "A" else "B") + cursor[number + 1 :]
        assert refused(listing.page(cursor=touched)), number
    for made_up in ("x", "A" * 22, "A" * 40, cursor[:20], cursor + "AAAA", "%00", "ü", "=" * 8):
        assert refused(listing.page(cursor=made_up)), made_up


@pytest.mark.parametrize("name", LISTS)
def test_a_cursor_is_good_for_its_caller_only(lists, name):
    """Carried to someone else who may see the same path, it says nothing."""
    listing = lists[name]
    other = Person() if name in ("devices", "bills", "newest entries", "oldest entries") else None
    if other is None:
        answer = Listing(Person(), listing.path, 0).page(cursor=cursor_of(listing))
        assert refused(answer) or answer.status == 404
    else:
        assert refused(listing.page(other, cursor=cursor_of(listing)))


def test_a_cursor_is_good_for_its_path_only(lists):
    """One of bills opens no devices, one of dollars no euros."""
    bills = lists["bills"]
    assert refused(bills.page(path="/v1/devices", cursor=cursor_of(bills)))
    dollars = lists["newest entries"]
    assert refused(dollars.page(path="/v1/wallets/EUR/entries", cursor=cursor_of(dollars)))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("bills", {"state": "settled"}),
        ("newest entries", {"order": "oldest"}),
        ("oldest entries", {"order": "newest"}),
        ("merchant's entries", {"currency": "EUR"}),
    ],
)
def test_a_cursor_is_good_for_its_filter_only(lists, name, query):
    """The limit alone may change on the way."""
    listing = lists[name]
    assert refused(listing.page(cursor=cursor_of(listing), **query))


def test_what_comes_meanwhile_moves_no_page(lists):
    """A cursor is a position, not a count: nothing is shown twice or left out."""
    listing = lists["bills"]
    first = listing.page(limit="3").body
    world.close(listing.person, world.opened(listing.person))
    listing.count += 1
    rest = listing.page(limit="100", cursor=first["next"]).body["items"]
    whole = listing.page(limit="100").body["items"]
    assert first["items"] + rest == whole[1:]
