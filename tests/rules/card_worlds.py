"""A card kept by the real rules beside a naive one written from the words of CB-09 to CB-20; they must agree.

The naive card remembers plain facts: what the bank said and when, which codes were tried and which of them were judged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from billfold import cards
from billfold.cards import Card, card_answers, card_codes
from billfold.cards.card_challenges import CODE_OVER
from billfold.cards.card_changes import (
    Activated,
    Answered,
    ApprovedLate,
    Asked,
    Bound,
    CardChange,
    ChallengeSent,
    CodeRefused,
    CodeTried,
    Ended,
    ExpiryUpdated,
    Removed,
    Resealed,
    Withdrawn,
)
from billfold.errors import Refusal
from billfold.money import Money

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
# 2026-11-23T18:00:00Z; the card is good until the end of 2026.
BOUND = 1_795_456_800_000
FIELDS = ["number", "expiry", "phone"]
TOKEN = "a token to charge by"
PRICE = Money(1_250, "USD")
FINAL = ("approved", "declined")


def rebuild(card_id: str, made: Sequence[CardChange]) -> Card:
    return reduce(cards.after, made[1:], cards.new(card_id, made[0]))


def binding(**fields: Any) -> Bound:
    """A card that its owner has just submitted."""
    honest = {
        "at": BOUND,
        "owner": "usr_1",
        "device": "dev_1",
        "brand": "Visa",
        "last4": "4242",
        "expiry_year": 2026,
        "expiry_month": 12,
        "bank": "sandbox",
        "fingerprint": "fingerprint 1",
        "typed": ["holder"],
        "force_challenge": False,
        "consent": "2026-11",
    }
    return Bound(**(honest | fields))


def bound(**fields: Any) -> Card:
    return rebuild("crd_1", [binding(**fields)])


def heard(outcome: str, at: int = BOUND, by: str = "asking", **said: str) -> Answered:
    """What a bank says, with all that it says along with it."""
    known = {"approved": {"reference": "bau_1", "token": TOKEN}, "challenge": {"reference": "bau_1"}}.get(outcome, {})
    return Answered(at=at, outcome=outcome, by=by, **(known | said))


def lived(*changes: CardChange, **fields: Any) -> Card:
    """The card after these changes, from a binding with these fields."""
    return rebuild("crd_1", [binding(**fields), *changes])


@dataclass
class Naive:
    """What the words say about a card."""

    over: str = ""
    begun: bool = False
    active: bool = False
    asked: bool = False
    said: list[str] = field(default_factory=list)
    approved_late: bool = False
    taken_back: bool = False
    codes_sent: list[int] = field(default_factory=list)
    tries: int = 0
    wrong: set[int] = field(default_factory=set)
    expiry: tuple[int, int] = (2026, 12)

    @property
    def final(self) -> str:
        """The bank's last word, spoken in time."""
        return next((word for word in self.said if word in FINAL), "")

    @property
    def challenged(self) -> bool:
        return "challenge" in self.said and not self.final

    @property
    def state(self) -> str:
        if self.over:
            return self.over
        if self.active:
            return "active"
        if not self.begun:
            return "created"
        if self.challenged and self.codes_sent:
            return "challenged"
        return "unknown" if self.said and self.said[-1] == "unknown" else "authenticating"

    def code_is_good(self, now: int) -> bool:
        return bool(self.codes_sent) and now < self.codes_sent[-1] + 5 * MINUTE

    def what_to_do(self, now: int) -> str:
        """What the state machine should do."""
        if self.over or self.active:
            return "over"
        if self.final:
            return self.final
        if not self.challenged:
            return "expired" if now >= BOUND + 15 * MINUTE else "ask"
        if not self.codes_sent and now >= BOUND + 15 * MINUTE:
            return "expired"
        if len(self.wrong) == 5:
            return "declined"
        if self.codes_sent and not self.code_is_good(now):
            perhaps_right = self.tries > len(self.wrong) and now < self.codes_sent[-1] + 20 * MINUTE
            return "ask" if perhaps_right else "declined"
        return "ask" if self.tries == 5 else "challenge"


class Worlds:
    """Both cards, the journal of changes, and what was ever seen."""

    def __init__(self) -> None:
        self.changes: list[CardChange] = [binding()]
        self.card = rebuild("crd_1", self.changes)
        self.naive = Naive()
        self.now = BOUND
        self.refused: set[tuple[str, str]] = set()
        self.seen: set[tuple[str, str]] = set()

    def _judge(self, step: str, reasons: set[str], rule: Callable[[], CardChange | None]) -> CardChange | None:
        """The rule's change, which exists exactly when nothing speaks against it."""
        before, change, code = self.card, None, ""
        try:
            change = rule()
        except Refusal as refusal:
            code = refusal.code()
        assert (code in reasons) if code else not reasons, f"{step}: {code or 'let through'}, expected {reasons}"
        assert self.card == before
        if code:
            self.refused.add((step, code))
        return change

    def _apply(self, change: CardChange) -> None:
        self.changes.append(change)
        self.card = cards.after(self.card, change)

    # ------------------------------------------------------------------------------------------------- the state machine

    def begin(self) -> None:
        change = cards.begin(self.card, self.now)
        assert (change is not None) == (self.naive.state == "created")
        if change:
            over = self.now >= self._expires() + 12 * HOUR
            assert isinstance(change, Ended) == over
            self._apply(change)
            self.naive.begun, self.naive.over = True, "invalid" if over else ""

    def _expires(self) -> int:
        """The first instant of the month after the card's, for the two expiries that these lives know."""
        return {(2026, 12): 1_798_761_600_000, (2031, 7): 1_943_308_800_000}[self.naive.expiry]

    def ask(self, outcome: str) -> None:
        """The machine asks the bank, when it should; or the bank's word comes though the machine did not wait for it."""
        if self.naive.what_to_do(self.now) != "ask" or not self.naive.begun:
            return
        if not self.naive.asked:
            self._apply(Asked(at=self.now, fields_sent=FIELDS))
            self.naive.asked = True
        self.hear(outcome, "asking")

    def hear(self, outcome: str, by: str = "callback") -> None:
        """The bank's word, from whichever side."""
        if not self.naive.asked:
            return
        change, naive = card_answers.hear(self.card, heard(outcome, self.now, by)), self.naive
        closed = bool(naive.over) or naive.active or naive.final == "declined"
        if closed:
            new = outcome == "approved" and naive.final != "approved" and not naive.approved_late
            assert isinstance(change, ApprovedLate) if new else change is None
            naive.approved_late |= new
        elif naive.final or outcome == "absent" or (naive.challenged and outcome in ("challenge", "unknown")):
            assert change is None
        else:
            assert isinstance(change, Answered)
            naive.said.append(outcome)
        if change:
            self._apply(change)

    def send_code(self) -> None:
        """The machine has the bank send the first code."""
        if self.naive.what_to_do(self.now) == "challenge" and not self.naive.codes_sent:
            self._apply(ChallengeSent(at=self.now))
            self.naive.codes_sent.append(self.now)

    def act(self) -> None:
        """The machine does what it should with a verdict or the want of one."""
        ended, naive = cards.end(self.card, self.now), self.naive
        to_do = naive.what_to_do(self.now)
        if to_do == "over":
            assert ended is None
        elif to_do == "approved":
            self._apply(Activated(at=self.now))
            naive.active = True
        elif to_do in ("declined", "expired"):
            assert ended is not None
            assert ended.state == to_do
            over = to_do == "declined" and (naive.challenged or naive.tries)
            assert ended.reason == (CODE_OVER if over else "")
            self._apply(ended)
            naive.over = to_do

    def give_up(self) -> None:
        """A step of the machine has failed for good: the card ends, whatever the bank said."""
        ended = cards.end(self.card, self.now)
        if ended is None:
            assert self.naive.what_to_do(self.now) == "over"
            return
        self._apply(ended)
        self.naive.over = "declined" if self.naive.what_to_do(self.now) == "declined" else "expired"

    def come_due(self) -> None:
        """The deadline of a card whose machine never ended it: two hours after its binding, and never before."""
        due = self.naive.what_to_do(self.now) != "over" and self.now >= BOUND + 2 * HOUR
        assert (cards.on_deadline(self.card, self.now) is not None) == due
        if due:
            self.give_up()

    def withdraw(self) -> None:
        """The bank takes its approval back, when it is asked to."""
        if card_answers.is_to_withdraw(self.card):
            self._apply(Withdrawn(at=self.now))
            self.naive.taken_back = True

    # --------------------------------------------------------------------------------------------------------- the owner

    def try_code(self) -> None:
        naive, reasons = self.naive, set()
        if naive.state != "challenged" or not naive.codes_sent:
            reasons.add("card_state_conflict")
        elif not naive.code_is_good(self.now) or naive.tries == 5:
            reasons.add("challenge_over")
        if change := self._judge("try", reasons, lambda: card_codes.try_code(self.card, self.now)):
            assert isinstance(change, CodeTried)
            self._apply(change)
            naive.tries += 1

    def judge_code(self, number: int, outcome: str) -> None:
        """The bank's word about one of the tries that it has not judged."""
        waiting = sorted(set(range(1, self.naive.tries + 1)) - self.naive.wrong)
        if not waiting:
            return
        if outcome != "challenge":
            self.hear(outcome, f"code {waiting[number % len(waiting)]}")
            return
        self._apply(CodeRefused(at=self.now, number=waiting[number % len(waiting)]))
        self.naive.wrong.add(waiting[number % len(waiting)])

    def resend(self) -> None:
        naive, reasons = self.naive, set()
        if naive.state != "challenged" or not naive.codes_sent:
            reasons.add("card_state_conflict")
        else:
            if len(naive.codes_sent) == 4 or naive.tries == 5:
                reasons.add("challenge_over")
            elif self.now < naive.codes_sent[-1] + MINUTE:
                reasons.add("resend_too_soon")
        if change := self._judge("resend", reasons, lambda: card_codes.resend(self.card, self.now)):
            self._apply(change)
            naive.codes_sent.append(self.now)

    def remove(self) -> None:
        change, naive = cards.remove(self.card, self.now), self.naive
        if naive.over:
            assert change is None
            return
        assert isinstance(change, Removed if naive.active else Ended)
        self._apply(change)
        naive.over = "removed" if naive.active else "cancelled"

    def bind_again(self) -> None:
        """The same card with a later expiry, or moved on by the vault: neither changes where it stands."""
        if not self.naive.over and self.naive.expiry == (2026, 12):
            self._apply(ExpiryUpdated(at=self.now, expiry_year=2031, expiry_month=7))
            self.naive.expiry = (2031, 7)
        elif not self.naive.over:
            self._apply(Resealed(at=self.now, fingerprint=f"fingerprint {len(self.changes)}"))

    def pay(self) -> None:
        expired = self.now >= self._expires() + 12 * HOUR
        reasons = set() if self.naive.active and not self.naive.over and not expired else {"card_not_active"}
        self._judge("pay", reasons, lambda: cards.check_can_pay(self.card, "usr_1", PRICE, self.now) and None)

    # ------------------------------------------------------------------------------------------------- what always holds

    def check(self) -> None:
        """Both say the same, and nothing that must never be is so."""
        card, naive = self.card, self.naive
        assert card == rebuild("crd_1", self.changes)
        assert card.state == naive.state
        assert card.revision == len(self.changes)
        assert cards.standing(card, self.now) == naive.what_to_do(self.now)
        self.seen.add((card.state, naive.what_to_do(self.now)))
        self._check_never(card)
        challenge = card.challenge
        assert (challenge.sent, challenge.tries, challenge.refused) == (
            len(naive.codes_sent),
            naive.tries,
            len(naive.wrong),
        )
        assert (challenge.tries_left, challenge.resends_left) == (5 - naive.tries, 4 - len(naive.codes_sent))
        assert card_answers.is_to_withdraw(card) == (
            not naive.taken_back and (naive.approved_late or (bool(naive.over) and naive.final == "approved"))
        )
        assert 1 <= cards.wait_seconds(card, self.now) <= 5 * 60
        assert (card.expiry_year, card.expiry_month) == naive.expiry

    def _check_never(self, card: Card) -> None:
        kinds = [type(change) for change in self.changes]
        if card.state == "active":
            assert any(isinstance(change, Answered) and change.outcome == "approved" for change in self.changes)
            assert card.token == TOKEN
        overs = [place for place, kind in enumerate(kinds) if kind in (Ended, Removed)]
        assert len(overs) <= 1
        assert not overs or Activated not in kinds[overs[0] :]
        assert card.challenge.tries <= 5
        assert card.challenge.sent <= 4
        verdicts = [change.outcome for change in self.changes if isinstance(change, Answered)]
        assert not set(verdicts[:-1]) & set(FINAL), "a verdict is the last word"
        assert TOKEN not in f"{card!r} {self.changes!r}"
