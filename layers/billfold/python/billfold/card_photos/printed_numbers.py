"""Card numbers among lines of print: whole, or not at all (CB-02). Pure.

    row ──> groups of digits ──> runs (one size, even gaps) ──> a run is a number, or a stack of runs below each other is

Every digit of a run counts: no part of one is a number, and nothing is added from elsewhere. Its groups must be those in
which cards of that length are printed, or what is left of them where gaps were not seen. So a covered group, a doubled or a
lost digit, a code beside the number and the first digits again in small print all give no number instead of another one.
Letters that a reader takes for digits (O for 0) are corrected; each makes the number less sure.

What print alone cannot tell: a number whose hidden end leaves another length of its brand (the last three of 19, or of a
Visa's 16), and a code in the number's own size and spacing (16 and 3 as 19). One in ten of these agrees by chance.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import mean, median

from billfold import card_numbers
from billfold.card_photos.printed_lines import Row

LOOKS_LIKE = {"O": "0", "o": "0", "Q": "0", "D": "0", "I": "1", "l": "1", "|": "1", "i": "1", "Z": "2", "z": "2"} | {
    "S": "5", "s": "5", "b": "6", "G": "6", "B": "8", "g": "9", "q": "9"
}  # fmt: skip
# What each corrected letter costs the number's confidence.
CORRECTION_FACTOR = 0.9
MAX_CORRECTIONS = 4
# Thirteen digits in other groups than those of old Visas may be left of sixteen: one look at them is never enough.
REST_FACTOR = 0.8
# How numbers of a length are printed. Whether 12, 17 or 18 digits are a whole number cannot be seen: they are typed.
GROUPS = {
    13: ((4, 3, 3, 3), (4, 4, 4, 1)),
    14: ((4, 6, 4),),
    15: ((4, 6, 5),),
    16: ((4, 4, 4, 4),),
    19: ((4, 4, 4, 4, 3), (6, 13)),
}
# These lengths are one brand's alone; of others' numbers so long something is missing, or too much.
ONLY = {13: "Visa", 14: "Diners Club", 15: "American Express"}
# The lines in which some numbers are printed, by how many digits each has.
STACKS = {
    *((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 3, 3, 3)),
    *((8, 8), (12, 7), (8, 11), (10, 5), (10, 4), (7, 6), (8, 5)),
}
# Print is of one size when the heights of neighbours differ by no more than this.
SAME_SIZE = 1.4
# From the middle of a digit to that of the next is one step; a group's gap is two or so, and no gap of a number is wider.
MAX_GAP = 3.5
# A gap that is so much wider than the others ends a run: a code in the number's line.
UNEVEN = 1.5
# What is recognised without a gap may have one: its step is wider than the group's mean by this factor.
WIDER = 1.1
# Below each other: by no more than so many heights, and beginning within one height.
MAX_LEADING = 2.6
EXPIRY = re.compile(r"(?<![0-9])([0O][1-9]|1[0-2])\s?[/\\|\-.]\s?(20\d\d|\d\d)(?![0-9])")
_DIGITLIKE = re.compile(r"(?=.*[0-9])[0-9" + re.escape("".join(LOOKS_LIKE)) + "]+")
# A number whose label has other words is no card's: an order's, an account's, a telephone's.
_LABELS = re.compile(r"CARD|CREDIT|DEBIT|NUMBER|PAN|VISA|MASTERCARD|MAESTRO|DISCOVER|JCB|UNIONPAY")


@dataclass(frozen=True, slots=True)
class _Group:
    """Characters without a gap: their text, where each stands, how sure each is."""

    text: str
    places: tuple[float, ...]
    chances: tuple[float, ...]
    y: float
    height: float

    @property
    def is_digits(self) -> bool:
        return bool(_DIGITLIKE.fullmatch(self.text))

    @property
    def step(self) -> float:
        """From the middle of a digit to that of the next."""
        between = len(self.places) - 1
        return (self.places[-1] - self.places[0]) / between if between else 0.6 * self.height


Run = list[_Group]


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as printed; `brand` is None where brand, length and check digit do not agree. `y`: its lowest line's middle."""

    digits: str
    brand: str | None
    confidence: float
    left: float
    y: float
    height: float


def printed_numbers(rows: list[Row]) -> list[PrintedNumber]:
    """The numbers that are printed as cards' numbers are, from the top."""
    runs = [run for row in rows for run in _runs(row)]
    stacks = [stack for stack in _stacks(runs) if tuple(_count(run) for run in stack) in STACKS]
    stacked = [id(run) for stack in stacks for run in stack]
    found = stacks + [[run] for run in runs if id(run) not in stacked]
    numbers = [_number(stack) for stack in found if _whole([group for run in stack for group in run])]
    return sorted((number for number in numbers if number), key=lambda number: number.y)


def longest_run(rows: list[Row]) -> int:
    """How many digits the longest run has, whether or not it is a number."""
    return max((_count(run) for row in rows for run in _runs(row)), default=0)


def _runs(row: Row) -> Iterator[Run]:
    """The groups of a row that belong together by size and gap; a word between them parts them."""
    words: Run = []
    run: Run = []
    for group in _without_specks(list(_groups(row))):
        if run and not (group.is_digits and _continues(run[-1], group)):
            yield from _evenly(run)
            words, run = [], []
        if group.is_digits and not _labelled(words, group):
            run.append(group)
        else:
            words.append(group)
    yield from _evenly(run)


def _groups(row: Row) -> Iterator[_Group]:
    """What stands in a row from the left, a date's digits apart."""
    for placed in row:
        places, chances = placed.places(), placed.chances()
        text = EXPIRY.sub(lambda date: "/" * len(date[0]), placed.line.text)
        for match in re.finditer(r"[^\W_]+|[|]+|/+", text):
            at = slice(*match.span())
            yield _Group(match[0], tuple(places[at]), tuple(chances[at]), placed.y, placed.height)


def _without_specks(groups: Run) -> Iterator[_Group]:
    """The groups without those of a character or two between longer ones of digits: backgrounds have such, numbers have not."""
    for at, group in enumerate(groups):
        around = groups[max(0, at - 1) : at] + groups[at + 1 : at + 2]
        if len(group.text) > 2 or len(around) < 2 or not all(one.is_digits and len(one.text) > 2 for one in around):
            yield group


def _labelled(words: Run, group: _Group) -> bool:
    """Whether what stands right before a group says that it belongs to another kind of number."""
    start = group.places[0]
    for word in reversed(words):
        if start - word.places[-1] > 2 * group.height:
            return False
        if sum(map(str.isalpha, word.text)) > 2 and not _LABELS.fullmatch(word.text.upper()):
            return True
        start = word.places[0]
    return False


def _gap(before: _Group, after: _Group) -> float:
    return 2 * (after.places[0] - before.places[-1]) / (before.step + after.step)


def _continues(before: _Group, after: _Group) -> bool:
    tall, low = max(before.height, after.height), min(before.height, after.height)
    return tall <= SAME_SIZE * low and _gap(before, after) <= MAX_GAP


def _evenly(run: Run) -> Iterator[Run]:
    """The run, parted where a gap is much wider than the others."""
    gaps = [_gap(before, after) for before, after in pairwise(run)]
    start = 0
    for at, gap in enumerate(gaps, 1):
        if len(gaps) > 2 and gap > UNEVEN * median(gaps):
            yield run[start:at]
            start = at
    if run:
        yield run[start:]


def _stacks(runs: list[Run]) -> Iterator[list[Run]]:
    """Runs below each other: of one size, beginning at one edge, evenly apart; each stack as long as it can be."""
    left = sorted(runs, key=lambda run: run[0].y)
    while left:
        stack = [left.pop(0)]
        for run in list(left):
            if _below(stack, run):
                stack.append(run)
                left.remove(run)
        if len(stack) > 1:
            yield stack


def _below(stack: list[Run], run: Run) -> bool:
    above, here = stack[-1][0], run[0]
    height, leading = min(above.height, here.height), here.y - above.y
    first = stack[1][0].y - stack[0][0].y if len(stack) > 1 else leading
    return (
        max(above.height, here.height) <= SAME_SIZE * height
        and abs(here.places[0] - above.places[0]) <= height
        and 0.5 * height < leading <= MAX_LEADING * height
        and abs(leading - first) <= 0.3 * first
    )


def _count(run: Run) -> int:
    return sum(len(group.text) for group in run)


def _whole(groups: Run) -> bool:
    """Whether these are a number's groups, all of them. A gap that was not recognised must still be wider than other steps, but
    for 16 digits, which some cards print without gaps.
    """
    seen = set(accumulate(len(group.text) for group in groups))
    steps = list(_steps(groups))
    for printed in GROUPS.get(max(seen), ()):
        ends = set(accumulate(printed))
        between = [step for at, step in steps if at in ends]
        if seen <= ends and (
            max(seen) == 16 or not between or mean(between) >= WIDER * mean(step for _, step in steps)
        ):
            return True
    return False


def _steps(groups: Run) -> Iterator[tuple[int, float]]:
    """Each step within a group: after how many digits of the number, and how wide beside the others of its group."""
    before = 0
    for group in groups:
        for at, (one, next_one) in enumerate(pairwise(group.places), before + 1):
            yield at, (next_one - one) / group.step
        before += len(group.text)


def _number(stack: list[Run]) -> PrintedNumber | None:
    groups = [group for run in stack for group in run]
    text = "".join(group.text for group in groups)
    digits = "".join(LOOKS_LIKE.get(character, character) for character in text)
    corrections = sum(a != b for a, b in zip(text, digits, strict=True))
    if corrections > MAX_CORRECTIONS:
        return None
    chances = [chance for group in groups for chance in group.chances]
    confidence = min(chances) * CORRECTION_FACTOR**corrections
    if len(digits) == 13 and [len(group.text) for group in groups] != [4, 3, 3, 3]:
        confidence *= REST_FACTOR
    brand = card_numbers.brand(digits) if card_numbers.luhn(digits) else None
    known = brand if brand == ONLY.get(len(digits), brand) else None
    return PrintedNumber(digits, known, confidence, groups[0].places[0], stack[-1][0].y, stack[-1][0].height)
