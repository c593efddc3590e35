"""Listing one's cards."""

from tests.world import call
from tests.world.card_world import number


def test_ones_own_cards_newest_first_the_removed_ones_too(cards, alice):
    """CB-12: and nobody else's."""
    cards.bound()
    listed = [cards.bind(alice, number("approved", rest)).body["id"] for rest in (1, 2, 3)]
    assert cards.remove(alice, listed[1]).status == 204
    items = call("GET", "/v1/cards", alice).body["items"]
    assert sorted(item["id"] for item in items) == sorted(listed)
    assert {item["id"]: item["state"] for item in items}[listed[1]] == "cancelled"
    first = call("GET", "/v1/cards", alice, query={"limit": "2"}).body
    rest = call("GET", "/v1/cards", alice, query={"limit": "2", "cursor": first["next"]}).body
    assert [*first["items"], *rest["items"]] == items


def test_a_list_shows_no_reason_why_a_card_was_declined(cards, visitor):
    """CB-15: neither reason nor fields."""
    person, card = cards.asked("mismatched", person=visitor)
    cards.work("end_card", card)
    (item,) = call("GET", "/v1/cards", person).body["items"]
    assert set(item) <= {"id", "state", "brand", "last4", "expiry", "bound_at", "text"}
    assert item["state"] == "declined"
