"""The refusals of cards and charges; the tree that they belong to is drawn in `errors.py`."""

from billfold.errors import Invalid, Refused


class UnsupportedIssuer(Invalid):
    status = 422
    user = "Cards of this bank cannot be linked yet."
    operations = "No bank is configured for this BIN (BILLFOLD_ISSUERS); none was asked."
    next = "use_another_card"


class TooManyCards(Refused):
    status = 429
    user = "Too many cards were tried. Try again later."
    operations = "A limit per user, device, address or card (CB-17), or the cool-down after a failed challenge (CB-09)."
    next = "wait"


class TooManyPhotos(Refused):
    status = 429
    user = "Too many photos were tried. Try again later, or type the number."
    operations = "The limit of photos per user (CB-17)."
    next = "wait"


class TooManyTopUps(Refused):
    status = 429
    user = "The wallet was topped up too often today. Try again later."
    operations = "Ten top-ups a user within 24 hours, whatever became of them; nothing was held and no bank was asked."
    next = "wait"


class TopUpTooLarge(Refused):
    user = "At most {most} can be topped up at once."
    operations = "More than BILLFOLD_TOP_UPS allows at once in this currency; nothing was held and no bank was asked."
    next = "use_another_amount"


class CardTaken(Refused):
    user = "This card cannot be linked."
    operations = "The card is linked by three users already (CB-16)."
    next = "use_another_card"


class CardStateConflict(Refused):
    user = "This card is {state}; that cannot be done now."
    operations = "The card's state does not allow this step."
    next = "look_at_the_card"


class CardNotActive(Refused):
    user = "This card cannot pay: it is {state}."
    operations = "A card pays while it is active, never before or after (CB-10)."
    next = "use_another_instrument"


class CardBusy(Refused):
    user = "A payment with this card is under way. Try again in a moment."
    operations = "A charge is settling; the card can be removed once it is settled or declined."
    next = "wait"


class CardDeclined(Refused):
    user = "Your bank declined the payment. You were not charged."
    operations = "The bank declined the charge; its reason is in the charge's record."
    next = "use_another_instrument"


class CodeWrong(Refused):
    status = 403
    user = "Wrong code. Tries left: {tries_left}."
    operations = (
        "The bank refused the challenge's code; the try is counted, and this answer is kept under its Idempotency-Key."
    )
    next = "try_again_with_a_new_key"


class ChallengeOver(Refused):
    user = "This code has run out. Link the card again later."
    operations = "Five minutes, five tries and three resends is what a challenge has (CB-09)."
    next = "wait"


class NoCodeAwaited(Refused):
    user = "Confirm with your bank. No code is needed."
    operations = (
        "The bank's challenge is on its own page (`challenge.kind` is redirect); nothing was tried and none is sent."
    )
    next = "open_the_banks_page"


class ResendTooSoon(Refused):
    status = 429
    user = "A code is on its way. Wait a minute before asking for another."
    operations = "A code is resent after 60 s (CB-09)."
    next = "wait"
