"""The states of cards: what the code lists, and where it reaches them."""

from billfold import cards
from billfold.cards import card_changes

RESOURCES = {"CardAnswer": (cards.STATES, (cards, card_changes), set())}
