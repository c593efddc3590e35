"""Magic numbers: the first eight digits of a card say how the bank behaves; any other card is approved at once.

The rest of the number is free, so that there are as many cards of each kind as anybody needs. docs/sandbox.md shows them.
"""

from dataclasses import dataclass
from typing import Literal

FOR_EVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the bank behaves with a card. Asks are counted for each operation (idempotency key) from one.

    name, digits, about: its name, first digits and what the documentation says. challenged: a code is asked for; paged: not by a
    code, but on a page of the bank's.
    declined: the reason why it is. failing_asks: so many are answered 500 and do nothing. silent_asks: so many get no answer,
    though what was asked is done. ignored: nothing is done and no answer comes, for ever. late: it is decided as many seconds
    later as digits 9 to 12 say, and until then nothing is answered. callbacks: how many copies are sent when it is decided,
    `forged` with a wrong signature, `early` before the ask is answered. answers_lost: the first ask with a code gets no
    answer. charge: what becomes of charges; later: and of what was settled, seconds later, which a callback tells.
    """

    name: str
    digits: str
    about: str
    challenged: bool = False
    paged: bool = False
    declined: str = ""
    failing_asks: int = 0
    silent_asks: int = 0
    ignored: bool = False
    late: bool = False
    callbacks: int = 0
    forged: bool = False
    early: bool = False
    answers_lost: bool = False
    charging: Literal["made", "declined", "lost", "lost_then_told", "ignored"] = "made"
    later: Literal["", "refund_fails", "disputed", "dispute_won"] = ""


DEFAULT = Behaviour("approved", "40000010", "Approved at once. So is every card that is not in this table.")
ALL = (
    DEFAULT,
    Behaviour("challenged", "40000011", "A code is asked for: 123456. Approved with it.", challenged=True),
    Behaviour(
        "code_answer_lost",
        "40000012",
        "As above, but the answer to each code is lost the first time; asking again with the same key gives it.",
        challenged=True,
        answers_lost=True,
    ),
    Behaviour(
        "paged",
        "40000013",
        'No code, but a page of the bank\'s: POST `{"confirm": true}` to its address approves, `false` declines.',
        challenged=True,
        paged=True,
    ),
    Behaviour("declined", "40000020", "Declined.", declined="do_not_honour"),
    Behaviour("expired", "40000021", "Declined: the card has expired.", declined="expired_card"),
    Behaviour("mismatched", "40000022", "Declined: the details do not match.", declined="details_mismatch"),
    Behaviour("failing", "40000030", "Two answers 500, then approved.", failing_asks=2),
    Behaviour(
        "late",
        "40000031",
        "No answer; approved SSSS seconds later (digits 9 to 12), which a callback tells. A large SSSS makes it later than "
        "Billfold's patience: a success after the end.",
        late=True,
        callbacks=1,
    ),
    Behaviour("silent", "40000032", "No answer, ever, to anything.", ignored=True),
    Behaviour(
        "told_thrice",
        "40000033",
        "The first ask gets no answer; approved, which three copies of one callback tell.",
        silent_asks=1,
        callbacks=3,
    ),
    Behaviour(
        "forged",
        "40000034",
        "The first ask gets no answer; approved, but the callback's signature is wrong. Only asking again tells.",
        silent_asks=1,
        callbacks=1,
        forged=True,
    ),
    Behaviour(
        "told_early", "40000035", "Approved; the callback arrives before the ask is answered.", callbacks=1, early=True
    ),
    Behaviour("without_funds", "40000040", "Approved; every charge is declined (no funds).", charging="declined"),
    Behaviour("charge_lost", "40000041", "Approved; a charge is made, but its first answer is lost.", charging="lost"),
    Behaviour(
        "charge_told",
        "40000042",
        "Approved; a charge is made, its first answer is lost, and a callback tells two seconds later.",
        charging="lost_then_told",
    ),
    Behaviour(
        "charge_ignored",
        "40000043",
        "Approved; a charge is never made nor answered. Two questions about it get no answer, then it is unknown to the bank.",
        charging="ignored",
    ),
    Behaviour(
        "refund_fails",
        "40000044",
        "Approved; a refund is made, and fails two seconds later, which a callback tells.",
        later="refund_fails",
    ),
    Behaviour(
        "disputed",
        "40000045",
        "Approved; a charge is made, and two seconds later its holder disputes it: the bank takes it back, which a callback tells.",
        later="disputed",
    ),
    Behaviour(
        "dispute_won",
        "40000046",
        "As above; six seconds after the charge the dispute is won, and the bank returns it, which a callback tells.",
        later="dispute_won",
    ),
)
NAMED = {behaviour.name: behaviour for behaviour in ALL}
# Not the bank's matter: no stage names a bank for it.
NOBODYS_DIGITS = "60110000"


def of(number: str) -> Behaviour:
    """The behaviour of a card."""
    return next((behaviour for behaviour in ALL if number.startswith(behaviour.digits)), DEFAULT)


def late_seconds(number: str) -> int:
    """Digits 9 to 12 of a card that is decided late."""
    return int(number[8:12])


def number(digits: str, rest: int = 0) -> str:
    """A card number of 16 digits: the first digits, then `rest`, then the digit that makes it valid (Luhn)."""
    body = digits + f"{rest:0{15 - len(digits)}d}"
    doubled = [int(digit) * 2 for digit in body[::-2]]
    total = sum(value - 9 if value > 9 else value for value in doubled) + sum(int(digit) for digit in body[-2::-2])
    return body + str(-total % 10)


def late_number(seconds: int, rest: int = 0) -> str:
    """A card that is approved so many seconds late (0 to 9999)."""
    return number(f"{NAMED['late'].digits}{seconds:04d}", rest)
