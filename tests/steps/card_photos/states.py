"""The states of card photos: what the code lists, and where it reaches them."""

from billfold import card_photos
from functions.card_photos import start_card_photo

_PHOTO = (card_photos.STATES, (card_photos, start_card_photo), set())
RESOURCES = {"CardPhotoAnswer": _PHOTO, "StartedCardPhoto": _PHOTO}
