"""One's own feed, and a merchant's."""

from tests import world
from tests.steps.listings import COUNT, Listing
from tests.world import Person


def own(cards):
    """A PIN, and each phone."""
    person = world.joined()
    for _ in range(COUNT):
        world.joined(Person(person.sub), pin=None)
    return Listing(person, "/v1/events", COUNT + 2, follow="after")


def merchants(cards):
    """A merchant, and each terminal."""
    shop = world.seller(terminals=COUNT)
    return Listing(shop.admin, "/v1/events", COUNT + 1, {"merchant": shop.merchant}, follow="after")


LISTINGS = {"events": own, "merchant's events": merchants}
