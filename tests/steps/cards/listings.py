"""The list of one's cards."""

from tests import world
from tests.steps.listings import COUNT, Listing


def cards_of_one(cards):
    person = world.joined()
    for number in range(COUNT):
        cards.bound(person=person, rest=8_000 + number)
    return Listing(person, "/v1/cards")


LISTINGS = {"cards": cards_of_one}
