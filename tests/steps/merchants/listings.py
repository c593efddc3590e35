"""A merchant's statement and terminals."""

from tests import world
from tests.steps.listings import COUNT, Listing


def entries(cards):
    buyer, shop = world.joined(), world.seller(terminals=1)
    world.fund(buyer, 100 * COUNT)
    for _ in range(COUNT):
        world.settled(buyer, (shop.tills[0], 100))
    return Listing(shop.admin, f"/v1/merchants/{shop.merchant}/entries")


def terminals(cards):
    shop = world.seller(terminals=COUNT)
    return Listing(shop.admin, f"/v1/merchants/{shop.merchant}/terminals")


LISTINGS = {"merchant's entries": entries, "terminals": terminals}
