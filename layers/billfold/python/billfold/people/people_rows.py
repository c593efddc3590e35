"""Users, their devices and their payment PIN.

    pk     sk                    what
    usr_…  user                  when joined or suspended, the PIN's hash and tries, the merchants administered, how many devices
    usr_…  device#dev_…          a phone's public key, and the bill that is open on it

A device's id is derived from its key's thumbprint (RFC 7638), so that a DPoP proof names its row without a search.
"""

from collections.abc import Iterator

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from billfold import people
from billfold.clock import MINUTE
from billfold.errors import Refusal
from billfold.events import OutboxKind, outbox_rows
from billfold.people import MAX_DEVICES, Device, Pin, User
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Key, Row, Wanted, pages, single, table


class UserRow(Row):
    class Meta:
        table_name = table("people")

    SORT = "user"
    joined_at = Integer()
    suspended_at = Integer(null=True)
    pin_hash = UnicodeAttribute(null=True)
    pin_tries = Integer(default=0)
    pin_locked_until = Integer(null=True)
    pin_wrong_at = Integer(null=True)
    pin_revision = Integer(default=0)
    merchants = Json(null=True)
    devices = Integer(default=0)


class DeviceRow(Row):
    class Meta:
        table_name = table("people")

    SORT = "device#"
    name = UnicodeAttribute()
    jwk = Json()
    thumbprint = UnicodeAttribute()
    registered_at = Integer()
    bill = UnicodeAttribute(null=True)
    bill_until = Integer(null=True)


def user_key(user_id: str) -> Key:
    return (UserRow, user_id, UserRow.SORT)


def device_key(user_id: str, device_id: str) -> Key:
    return (DeviceRow, user_id, DeviceRow.SORT + device_id)


def user(user_id: str) -> Wanted[User | None]:
    """A user; None: never registered."""
    return single(UserRow, user_id, UserRow.SORT, _to_user)


def _to_user(row: UserRow) -> User:
    pin = Pin(row.pin_hash or "", row.pin_tries, row.pin_locked_until or 0, row.pin_wrong_at or 0, row.pin_revision)
    return User(row.pk, row.suspended_at is not None, pin, tuple(row.merchants or ()))


def device(user_id: str, device_id: str) -> Wanted[Device | None]:
    """A user's device; None: unknown or removed."""
    return single(DeviceRow, user_id, DeviceRow.SORT + device_id, _to_device)


def _to_device(row: DeviceRow) -> Device:
    device_id = row.sk.removeprefix(DeviceRow.SORT)
    return Device(device_id, row.name, row.jwk, row.thumbprint, row.registered_at, row.bill or "", row.bill_until or 0)


def devices(user_id: str, *, after: str = "", limit: int | None = None) -> Iterator[Device]:
    """A user's devices by id."""
    start = DeviceRow.SORT + after
    for item in pages(DeviceRow, user_id, after=start, before=DeviceRow.SORT + "~", limit=limit):
        yield _to_device(DeviceRow.from_raw_data(item))


def add_device(commit: Commit, user_id: str, device: Device, now: int) -> None:
    """Add a device to a commit, and its user if this is the first one; its user has fewer than may be."""
    commit.put_new(
        DeviceRow(
            user_id,
            DeviceRow.SORT + device.device_id,
            name=device.name,
            jwk=device.jwk,
            thumbprint=device.thumbprint,
            registered_at=device.registered_at,
        )
    )
    outbox_rows.tell(commit, "device.registered", user_id, device.device_id, now)
    joined = UserRow.joined_at.set(UserRow.joined_at | now)
    room = UserRow.devices.does_not_exist() | (UserRow.devices < MAX_DEVICES)
    commit.update(UserRow(user_id, UserRow.SORT), [joined, UserRow.devices.add(1)], room)


def check_registered(commit: Commit, user_id: str, device: Device) -> None:
    """Add to a commit that a device that was read is still its user's."""
    commit.check(device_key(user_id, device.device_id), DeviceRow.pk.exists())


def delete_device(commit: Commit, user_id: str, device_id: str, now: int) -> None:
    """Add a device's removal to a commit; a device with an open bill stays."""
    idle = DeviceRow.bill.does_not_exist() | (DeviceRow.bill_until <= now)
    commit.delete(device_key(user_id, device_id), DeviceRow.pk.exists() & idle)
    commit.update(UserRow(user_id, UserRow.SORT), [UserRow.devices.add(-1)])
    outbox_rows.tell(commit, "device.removed", user_id, device_id, now)


def take_device(commit: Commit, user_id: str, device: Device, bill_id: str, until: int) -> None:
    """Add to a commit that this bill is the open one on the device, which is as it was read (VB-04)."""
    row = DeviceRow(user_id, DeviceRow.SORT + device.device_id)
    unchanged = DeviceRow.bill == device.bill if device.bill else DeviceRow.bill.does_not_exist()
    commit.update(
        row, [DeviceRow.bill.set(bill_id), DeviceRow.bill_until.set(until)], DeviceRow.pk.exists() & unchanged
    )


def free_device(commit: Commit, user_id: str, device: Device) -> None:
    """Add to a commit that the bill that is open on the device, as read, is open no more."""
    row = DeviceRow(user_id, DeviceRow.SORT + device.device_id)
    commit.update(row, [DeviceRow.bill.remove(), DeviceRow.bill_until.remove()], DeviceRow.bill == device.bill)


def change_pin(commit: Commit, user: User, after: Pin, now: int) -> None:
    """Add to a commit that a user has another PIN, or the first."""
    add_pin(commit, user.user_id, user.pin, after)
    outbox_rows.tell(commit, "pin.changed" if user.pin.hash else "pin.set", user.user_id, user.user_id, now)


def count_try(commit: Commit, user: User, after: Pin, now: int) -> None:
    """Add to a commit that a wrong PIN was tried (VB-15); the owner hears of it, whoever tried."""
    add_pin(commit, user.user_id, user.pin, after)
    kind: OutboxKind = "pin.locked" if after.locked_until else "pin.wrong"
    left = people.tries_left(after, now)
    outbox_rows.tell(commit, kind, user.user_id, user.user_id, now, tries_left=left)


def add_pin(commit: Commit, user_id: str, before: Pin, after: Pin) -> None:
    """Add a PIN's change to a commit: another hash, or a try that was counted or forgiven; it must be as it was read."""
    actions = [
        UserRow.pin_hash.set(after.hash),
        UserRow.pin_tries.set(after.tries),
        UserRow.pin_revision.set(before.revision + 1),
        UserRow.pin_locked_until.set(after.locked_until) if after.locked_until else UserRow.pin_locked_until.remove(),
    ]
    if after.wrong_at:
        actions.append(UserRow.pin_wrong_at.set(after.wrong_at))
    commit.update(UserRow(user_id, UserRow.SORT), actions, _pin_as_read(before))


def check_pin(commit: Commit, user_id: str, pin: Pin, *, operation: str = "", now: int = 0) -> None:
    """Add to a commit that the PIN that was verified is as it was read: no other try, right or wrong, came between.

    This is what makes three tries three, however many guesses run at once. After earlier wrong tries it clears them.
    `operation`: the one whose refusal, had a twin of it named a wrong PIN, must not have been recorded. That follows from
    the PIN's revision, unless the refusal's record was read before the twin's commit and the user after it.
    """
    if pin.tries or pin.locked_until:
        add_pin(commit, user_id, pin, people.after_right_pin(pin))
    else:
        commit.check(user_key(user_id), _pin_as_read(pin))
    # A twin that committed since this request arrived had arrived within a function's life before: less than a minute.
    if operation and pin.wrong_at > now - MINUTE:
        operation_rows.check_absent(commit, operation)


def count_wrong_try(
    commit: Commit, operation: str, request: str, user: User, after: Pin, refusal: Refusal, now: int
) -> None:
    """Add a wrong try (VB-15) to a commit, and what it is answered, so that a repeat of this request is not another try.

    The commit brings the check that this operation, under the right PIN, has not succeeded: the two would be its two records.
    """
    count_try(commit, user, after, now)
    operation_rows.refuse(commit, operation, request, refusal, now)


def _pin_as_read(pin: Pin) -> Condition:
    """The PIN as it was read, and its user not suspended since. The revision says it alone, but for the functions of an
    earlier version that still serve while a deployment shifts: they change a PIN without it."""
    unchanged: Condition = UserRow.joined_at.exists() & UserRow.suspended_at.does_not_exist()
    for column, value in (
        (UserRow.pin_revision, pin.revision),
        (UserRow.pin_hash, pin.hash),
        (UserRow.pin_tries, pin.tries),
        (UserRow.pin_locked_until, pin.locked_until),
    ):
        absent = column.does_not_exist()
        unchanged &= column == value if value else absent | (column == value)
    return unchanged


def add_suspension(commit: Commit, user: User, now: int, *, suspended: bool) -> None:
    """Add to a commit that a user is suspended from now on, or no more; the other held until then."""
    action = UserRow.suspended_at.set(now) if suspended else UserRow.suspended_at.remove()
    was = UserRow.suspended_at.does_not_exist() if suspended else UserRow.suspended_at.exists()
    commit.update(UserRow(user.user_id, UserRow.SORT), [action], UserRow.joined_at.exists() & was)
    kind: OutboxKind = "user.suspended" if suspended else "user.resumed"
    outbox_rows.tell(commit, kind, user.user_id, user.user_id, now)


def add_merchants(commit: Commit, before: User, merchants: tuple[str, ...]) -> None:
    """Add to a commit which merchants a user administers; the list must be as it was read, and the user not suspended since."""
    row = UserRow(before.user_id, UserRow.SORT)
    same = UserRow.merchants == list(before.merchants) if before.merchants else UserRow.merchants.does_not_exist()
    active = UserRow.joined_at.exists() & UserRow.suspended_at.does_not_exist()
    commit.update(row, [UserRow.merchants.set(list(merchants))], active & same)
