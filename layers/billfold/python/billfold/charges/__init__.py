"""Charges of cards, and refunds of them: money asked of a bank (CB-21). Pure rules; a charge is the sum of its changes.

    settling ──► settled | declined
                 settled ──► failed (a refund, later)    settled ◄──► disputed (a charge, while the bank has its money back)

First the money is held on the card's account and the intent recorded, then the bank is asked with the charge's id as its
key, then the hold is posted or voided. A bank that does not answer leaves the charge settling: it is asked again, each time
later, and every day both lists are compared. Nothing is ever assumed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from billfold import bank_currencies
from billfold.cards import CardSummary
from billfold.charges.charge_changes import ChargeChange, Declined, Disputed, RefundFailed, Reinstated, Settled, Started
from billfold.clock import HOUR, SECOND
from billfold.ledger.ledger_errors import AlreadyResolved
from billfold.money import Money

# Asked again after 2, 4, 8 … 900 s (as long as SQS can wait), 12 times: the better part of two hours.
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 2, 900
MAX_ASKS = 12
OVERDUE = 2 * HOUR
# Banks forget keys, and what they were asked with them, after a day (Stripe does): by then "never heard of it" says nothing,
# and asking anew could charge or give back twice.
ASKED_WITHIN = 20 * HOUR
DAY = 24 * HOUR
# A day on which a bank did not answer, or we did not ask, is compared on one of the next.
LOOKS_BACK_DAYS = 14
OUTCOMES = ("charged", "refunded", "declined")


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge or refund as its changes left it; amounts in minor units."""

    charge_id: str
    owner: str
    card: str
    bank: str
    token: str = field(repr=False)
    amount: int
    currency: str
    purpose: str
    about: str
    of: str
    hold_id: str
    transfer_id: str
    started_at: int
    state: str = "settling"
    revision: int = 1
    reference: str = ""
    disputes: tuple[Disputed, ...] = ()

    @property
    def due_at(self) -> int | None:
        """When a charge that is still settling is something to look into."""
        return self.started_at + OVERDUE if self.state == "settling" else None


def new(charge_id: str, started: ChargeChange) -> Charge:
    """The charge that its start makes."""
    assert isinstance(started, Started), "a charge's first change is its start"
    return Charge(
        charge_id,
        started.owner,
        started.card,
        started.bank,
        started.token,
        started.amount,
        started.currency,
        started.purpose,
        started.about,
        started.of,
        started.hold,
        started.transfer,
        started.at,
    )


def after(charge: Charge, change: ChargeChange) -> Charge:
    """The charge with one more change."""
    changed = replace(charge, revision=charge.revision + 1)
    match change:
        case Settled():
            return replace(changed, state="settled", reference=change.reference)
        case Declined():
            return replace(changed, state="declined")
        case RefundFailed():
            return replace(changed, state="failed")
        case Disputed():
            return replace(changed, state="disputed", disputes=(*charge.disputes, change))
        case Reinstated():
            left = tuple(one for one in charge.disputes if one.dispute != change.dispute)
            return replace(changed, state="disputed" if left else "settled", disputes=left)
    raise TypeError(f"no such change: {change!r}")


def start(card: CardSummary, amount: Money, purpose: str, about: str, now: int, *, hold: str, transfer: str) -> Started:
    """The beginning of a charge of this card, which can pay; `hold` and `transfer` are the ids for the ledger."""
    return Started(
        at=now,
        owner=card.owner,
        card=card.card_id,
        bank=card.bank,
        token=card.token,
        amount=amount.amount,
        currency=amount.currency,
        purpose=purpose,
        about=about,
        of="",
        hold=hold,
        transfer=transfer,
    )


def resolve(charge: Charge, outcome: str, reference: str, reason: str, now: int) -> ChargeChange | None:
    """What the bank's word makes of a charge; None while it is unknown. AlreadyResolved for one that is not settling."""
    if charge.state != "settling":
        raise AlreadyResolved(state=charge.state)
    if outcome in ("charged", "refunded"):
        return Settled(at=now, reference=reference)
    return Declined(at=now, reason=reason) if outcome == "declined" else None


def may_ask(charge: Charge, now: int) -> bool:
    """Whether asking once more is certainly the same question: the bank still knows its key."""
    return now < charge.started_at + ASKED_WITHIN


def delay_seconds(asks: int) -> int | None:
    """How long to wait before asking once more, after so many asks; None: the daily comparison takes over."""
    if asks >= MAX_ASKS:
        return None
    return min(FIRST_DELAY_SECONDS << min(asks, 20), LONGEST_DELAY_SECONDS)


# ------------------------------------------------------------------------------------------------------ reconciliation


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day whose charges are compared with a bank's list, by its first instant."""

    since: int

    @property
    def name(self) -> str:
        return f"{datetime.fromtimestamp(self.since // SECOND, UTC):%Y-%m-%d}"

    @property
    def until(self) -> int:
        return self.since + DAY

    @property
    def listed_since(self) -> int:
        """The bank's instant of a charge is not ours."""
        return self.since - HOUR

    @property
    def answered_at(self) -> int:
        """From when on the bank's list grows no more: what was answered late was made while it could still be asked for."""
        return self.until + ASKED_WITHIN + HOUR

    def listed_until(self, now: int) -> int:
        """Up to when the bank's list is read."""
        return min(max(now, self.until + HOUR), self.answered_at)

    def again_at(self, now: int, *, settling: bool) -> int | None:
        """When the day is compared once more, because the bank may still make what was settling; None: it need not be."""
        return self.answered_at if settling and now < self.answered_at else None


def days_to_compare(now: int) -> list[Day]:
    """The days that must have been compared, the oldest first: yesterday, and those before on which a bank may have been silent."""
    today = now - now % DAY
    return [Day(today - back * DAY) for back in range(LOOKS_BACK_DAYS, 0, -1)]


@dataclass(frozen=True, slots=True)
class Line:
    """One charge or refund as the bank or we list it: under the same key, the amount in the bank's units (None: it cannot count
    it so), under the bank's reference (empty: we do not know it)."""

    key: str
    amount: int | None
    currency: str
    state: str
    at: int
    kind: str = "charge"
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the bank's list and ours disagree about one thing.

    missing_here: the bank did it and we know nothing of it (without a key of ours, or under a foreign one); missing_there: we
    say settled, the bank does not list it; kind: under the key of a charge it lists a refund, or the other way round; amount:
    another amount or currency; reference: another one than it told us; state: the bank did it, and we say settling or
    declined; repeated: one more under the same key.
    """

    kind: str
    key: str
    here: Line | None
    there: Line | None


def as_counted(line: Line, bank: str) -> Line:
    """A line of ours, whose amount is in minor units, as the bank lists it."""
    assert line.amount is not None, "we count all that we list"
    return replace(line, amount=bank_currencies.counted(bank, Money(line.amount, line.currency)))


def compare(ours: Iterable[Line], theirs: Iterable[Line], since: int, until: int) -> list[Difference]:
    """Every difference about what happened at or after `since` and before `until`.

    Both lists reach an hour further on either side, because the bank's instant of a charge is not ours.
    """
    here, there = {line.key: line for line in ours}, defaultdict[str, list[Line]](list)
    # A payment that moved on to the next page while the list was read stands there twice, and is one.
    for line in sorted(set(theirs), key=lambda line: (line.at, line.reference)):
        there[line.key].append(line)
    found: list[Difference] = []
    for key in sorted({*here, *there}):
        our = here.get(key)
        if our and since <= our.at < until:
            found += _compared(our, there.get(key, []))
        elif not our:
            found += [Difference("missing_here", key, None, line) for line in there[key] if since <= line.at < until]
    return found


def _compared(our: Line, theirs: list[Line]) -> Iterator[Difference]:
    """What is wrong about one charge or refund of ours, each fault by itself."""
    alike = [line for line in theirs if line.kind == our.kind]
    yield from (Difference("kind", our.key, our, line) for line in theirs if line.kind != our.kind)
    if not alike:
        if our.state == "settled":
            yield Difference("missing_there", our.key, our, None)
        return
    # Of several, ours is the one whose reference we were told, or that looks like it.
    their = min(alike, key=lambda line: (line.reference != our.reference, not _same_amount(our, line)))
    if not _same_amount(our, their):
        yield Difference("amount", our.key, our, their)
    if our.reference and their.reference != our.reference:
        yield Difference("reference", our.key, our, their)
    if our.state != "settled":
        yield Difference("state", our.key, our, their)
    yield from (Difference("repeated", our.key, our, line) for line in alike if line != their)


def _same_amount(our: Line, their: Line) -> bool:
    return (our.amount, our.currency) == (their.amount, their.currency)
