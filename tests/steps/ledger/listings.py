"""One's statement, from either end."""

from tests import world
from tests.steps.listings import COUNT, Listing


def newest(cards):
    person = world.joined(pin=None)
    for number in range(2 * COUNT):
        world.fund(person, 1000 + number)
    return Listing(person, "/v1/wallets/USD/entries", 2 * COUNT)


def oldest(cards):
    listing = newest(cards)
    listing.query = {"order": "oldest"}
    return listing


LISTINGS = {"newest entries": newest, "oldest entries": oldest}
