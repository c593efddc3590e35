"""What a card's owner does for its challenge: try the code, ask for another (CB-09), or confirm on the bank's page."""

from billfold import cards
from billfold.cards import Card
from billfold.cards.card_challenges import CODE_TRIES, RESEND_AFTER
from billfold.cards.card_changes import ChallengeSent, CodeTried
from billfold.cards.card_errors import CardStateConflict, ChallengeOver, NoCodeAwaited, ResendTooSoon
from billfold.clock import SECOND


def try_code(card: Card, now: int) -> CodeTried:
    """Count one try of a code (CB-09); CardStateConflict when none is awaited, ChallengeOver when it is too late or too often."""
    _check_code_awaited(card)
    if now >= card.challenge.expires_at:
        raise ChallengeOver()
    if card.challenge.tries >= CODE_TRIES:
        raise ChallengeOver()
    return CodeTried(at=now)


def resend(card: Card, now: int) -> ChallengeSent:
    """Another code (CB-09): after 60 s, three times at most."""
    _check_code_awaited(card)
    if card.challenge.resends_left <= 0 or card.challenge.tries >= CODE_TRIES:
        raise ChallengeOver()
    if now < card.challenge.sent_at + RESEND_AFTER:
        left = card.challenge.sent_at + RESEND_AFTER - now
        raise ResendTooSoon(retry_after_seconds=-(-left // SECOND))
    return ChallengeSent(at=now)


def awaits_page(card: Card, now: int) -> bool:
    """Whether the owner can confirm on the bank's page now."""
    return card.challenge.way == "redirect" and card.challenge.sent > 0 and cards.standing(card, now) == "challenge"


def _check_code_awaited(card: Card) -> None:
    if card.state != "challenged" or card.verdict != "challenge" or not card.challenge.sent:
        raise CardStateConflict(state=card.state)
    if card.challenge.way == "redirect":
        raise NoCodeAwaited()
