"""The list of one's bills."""

from tests import world
from tests.steps.listings import COUNT, Listing


def bills(cards):
    person, shop = world.joined(), world.seller(terminals=1)
    world.fund(person, 100 * COUNT)
    for _ in range(COUNT):
        world.settled(person, (shop.tills[0], 100))
    return Listing(person, "/v1/bills")


LISTINGS = {"bills": bills}
