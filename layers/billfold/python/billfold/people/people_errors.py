"""The refusals of people, their phones and PINs; the tree that they belong to is drawn in `errors.py`."""

from billfold.errors import Invalid, Refused


class PinTooObvious(Invalid):
    status = 422
    user = "This PIN is too easy to guess. Choose another."
    operations = "The PIN repeats a digit or pair, counts up or down, or is on the list of common PINs."
    next = "choose_another_pin"


class UserUnknown(Refused):
    status = 403
    user = "Register this phone first."
    operations = "The identity is valid, but no device was ever registered for it, so no user row exists."
    next = "register_a_device"


class UserSuspended(Refused):
    status = 403
    user = "This account is suspended."
    operations = "Operations suspended this user."
    next = "contact_support"


class DeviceMismatch(Refused):
    status = 403
    user = "Use the phone on which you began this."
    operations = "The proof is sound, but signed by a device that is removed, unknown or not the bill's or card's own."
    next = "use_the_device_it_began_on"


class DeviceUnknown(Refused):
    status = 403
    user = "Register this phone first."
    operations = "The proof is sound, but signed by a device that the caller never registered, or has removed."
    next = "register_a_device"


class DeviceLimitReached(Refused):
    user = "You have {limit} phones registered. Remove one first."
    operations = "The limit of devices per user."
    next = "remove_a_device"


class DeviceBusy(Refused):
    user = "This phone has an open bill. Finish it first."
    operations = "A device with an active bill cannot be removed."
    next = "close_the_bill"


class PinMissing(Refused):
    status = 403
    user = "Set a payment PIN first."
    operations = "The user never set a PIN."
    next = "set_a_pin"


class PinWrong(Refused):
    status = 403
    user = "Wrong PIN. Tries left: {tries_left}."
    operations = "The payment PIN did not match; the try is counted, and this answer is kept under its Idempotency-Key."
    next = "try_again_with_a_new_key"


class PinLocked(Refused):
    status = 403
    user = "Too many wrong PINs. Try again later."
    operations = "Three wrong tries lock the PIN for 15 minutes."
    next = "wait_and_use_a_new_key"
