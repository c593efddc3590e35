"""The list of one's phones."""

from tests import world
from tests.steps.listings import COUNT, Listing
from tests.world import Person


def devices(cards):
    person = world.joined(pin=None)
    for _ in range(COUNT - 1):
        world.joined(Person(person.sub), pin=None)
    return Listing(person, "/v1/devices")


LISTINGS = {"devices": devices}
