"""Who may act: PINs that are hard to guess, three tries, a lock of 15 minutes (VB-15), and a bill's own device (VB-02)."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import errors, people
from billfold.clock import MINUTE
from billfold.people import Device, Pin, PinVerification, User, people_errors

NOW = 1_000_000
FIFTEEN_MINUTES = 15 * MINUTE
DEVICE = Device("dev_1", "phone", {}, "thumb", NOW)


def equal(stored: str, pin: str) -> bool:
    return stored == pin


def tried(pin: Pin, guess: str, now: int = NOW) -> tuple[Pin, errors.Refusal] | None:
    return PinVerification(guess).verify(pin, now, equal)


@pytest.mark.parametrize(
    "pin",
    ["1111", "000000", "1212", "123123", "1234", "12345678", "4321", "98765432", "7890", "0987", "2580", "159753"],
)
def test_obvious_pins_are_refused(pin):
    """Repeats, pairs, runs up, down and around zero, and the commonest of the leaks."""
    with pytest.raises(people_errors.PinTooObvious) as refusal:
        people.check_pin_strength(pin)
    assert refusal.value.facts["pointer"] == "/pin"


@pytest.mark.parametrize("pin", ["7391", "739164", "1122", "90215873", "1235", "1212121", "2581"])
def test_other_pins_are_taken(pin):
    """What only resembles a pattern is a PIN like any other."""
    people.check_pin_strength(pin)


def test_nearly_every_pin_can_be_chosen():
    """The rules take away less than one in a hundred four-digit PINs, so a thief who knows them gains nothing."""
    refused = 0
    for number in range(10_000):
        try:
            people.check_pin_strength(f"{number:04d}")
        except people_errors.PinTooObvious:
            refused += 1
    assert 100 <= refused < 200


def test_the_right_pin_verifies_and_changes_nothing():
    """None means right; whoever commits then clears earlier tries."""
    assert tried(Pin("7391", tries=2), "7391") is None


def test_three_wrong_tries_lock_for_fifteen_minutes():
    """VB-15: the answers count down 2, 1, and then it is locked until NOW + 15 min."""
    pin, answers = Pin("7391"), []
    for _ in range(3):
        outcome = tried(pin, "0000")
        assert outcome is not None
        pin, refusal = outcome
        answers.append((refusal.code(), refusal.facts["tries_left"]))
    assert answers == [("pin_wrong", 2), ("pin_wrong", 1), ("pin_locked", 0)]
    assert pin == Pin("7391", 3, NOW + FIFTEEN_MINUTES, wrong_at=NOW)
    assert refusal.retry_after_seconds == 900


def test_a_locked_pin_is_not_even_compared():
    """VB-15: during the lock the right PIN is refused like a wrong one, and the hash is never asked."""
    locked = Pin("7391", 3, NOW + 1)
    asked = []
    with pytest.raises(people_errors.PinLocked) as refusal:
        PinVerification("7391").verify(locked, NOW, lambda *pair: asked.append(pair) or True)
    assert not asked
    assert (refusal.value.retry_after_seconds, refusal.value.facts) == (1, {"tries_left": 0})


def test_a_lock_that_is_over_gives_three_new_tries():
    """VB-15: from the very instant of its end; a wrong try is then the first of three."""
    over = Pin("7391", 3, NOW)
    assert tried(over, "7391") is None
    outcome = tried(over, "0000")
    assert outcome is not None
    assert outcome[0] == Pin("7391", 1, 0, wrong_at=NOW)
    assert outcome[1].facts == {"tries_left": 2}


def test_without_a_pin_there_is_nothing_to_try():
    """An empty hash matches nothing, not even an empty PIN."""
    with pytest.raises(people_errors.PinMissing):
        tried(Pin(), "")


@pytest.mark.parametrize(
    ("pin", "left"),
    [
        (Pin(), 3),
        (Pin("h", 1), 2),
        (Pin("h", 2), 1),
        (Pin("h", 3, NOW + 1), 0),
        (Pin("h", 3, NOW), 3),
        (Pin("h", 3, NOW - 1), 3),
    ],
)
def test_the_tries_left_are_what_the_next_tries_will_find(pin, left):
    """VB-15: the number shown is the number that the lock counts by."""
    assert people.tries_left(pin, NOW) == left


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.integers(0, 2**32))
def test_in_any_history_of_tries_the_shown_number_is_kept(seed):
    """VB-15: over random tries and waits, exactly `tries_left` further wrong tries are answered before each lock."""
    draw, pin, now = random.Random(seed), Pin("7391"), NOW
    for _ in range(40):
        now += draw.choice([1, MINUTE, FIFTEEN_MINUTES - 1, FIFTEEN_MINUTES])
        left = people.tries_left(pin, now)
        if left == 0:
            with pytest.raises(people_errors.PinLocked):
                tried(pin, "7391", now)
            continue
        if draw.random() < 0.3:
            assert tried(pin, "7391", now) is None
            pin = Pin(pin.hash)
            continue
        outcome = tried(pin, "0000", now)
        assert outcome is not None
        pin, refusal = outcome
        assert refusal.facts["tries_left"] == left - 1 == people.tries_left(pin, now)
        assert type(refusal) is (people_errors.PinLocked if left == 1 else people_errors.PinWrong)


def test_only_a_known_and_active_user_acts():
    """VB-01: unknown or suspended is refused, each by its own code."""
    user = User("usr_1")
    assert people.check_active(user) is user
    with pytest.raises(people_errors.UserUnknown):
        people.check_active(None)
    with pytest.raises(people_errors.UserSuspended):
        people.check_active(User("usr_1", suspended=True))


def test_a_phone_that_acts_must_be_registered():
    """VB-01: of a known user who is not suspended, whose refusals come first."""
    user, device = User("usr_1"), DEVICE
    people.check_registered(user, device)
    with pytest.raises(people_errors.DeviceUnknown):
        people.check_registered(user, None)
    with pytest.raises(people_errors.UserSuspended):
        people.check_registered(User("usr_1", suspended=True), None)
    with pytest.raises(people_errors.UserUnknown):
        people.check_registered(None, device)


def test_only_the_owner_on_the_very_device_acts():
    """VB-02, XX-05: another user hears "not found", the owner on another phone "use the phone of this bill"."""
    owner = User("usr_1")
    assert people.check_own_device("usr_1", "dev_1", owner, DEVICE) is owner
    for stranger in (None, User("usr_2")):
        with pytest.raises(errors.NotFound):
            people.check_own_device("usr_1", "dev_1", stranger, DEVICE)
    for device in (None, Device("dev_2", "other", {}, "thumb", NOW)):
        with pytest.raises(people_errors.DeviceMismatch):
            people.check_own_device("usr_1", "dev_1", owner, device)
    with pytest.raises(people_errors.UserSuspended):
        people.check_own_device("usr_1", "dev_1", User("usr_1", suspended=True), DEVICE)
