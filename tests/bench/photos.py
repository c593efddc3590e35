"""How many numbers of made-up cards are read exactly, wrongly or not at all: by condition, by design, and with a group covered.

132 photos; nothing but the seeds' text decides what they look like. The rules were tuned on others.
"""

import random
import resource
import time
from collections.abc import Iterator
from statistics import mean

from rich.table import Table

from billfold import card_photos
from billfold.card_photos import Reading, Unreadable
from billfold.readers import embedded
from infra.demo import card_pictures as rendering
from infra.demo.card_faces import DESIGNS, Card
from tests.bench.console import console
from tests.bench.scale import scaled

CONDITION, DESIGN, GROUP, SPECIMENS = scaled((6, 4, 2, 8), (1, 1, 1, 1))
COVERS = ("thumb", "highlight")
HEADS = ("cards", "exact", "wrong", "refused", "expiry", "holder", "another holder")


def main() -> None:
    """Twelve conditions, nine designs more, two covers over each of four groups, and specimens whose check digit is wrong."""
    next(embedded.looks(rendering.photo(rendering.card(random.Random(0)), "flat", random.Random(0))))
    table = Table("photos", *HEADS, "CPU ms, mean", "at most")
    for title, photos in _sets():
        counts, taken = [0] * len(HEADS), []
        for card, image in photos:
            started = time.process_time()
            found = card_photos.read(embedded.looks(image))
            taken.append(time.process_time() - started)
            counts = [one + other for one, other in zip(counts, _judged(found, card), strict=True)]
        table.add_row(title, *map(str, counts), f"{mean(taken) * 1000:.0f}", f"{max(taken) * 1000:.0f}")
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    console.print(f"at most {peak} MiB resident, drawing the cards included")


Shown = tuple[Card, bytes]


def _sets() -> Iterator[tuple[str, list[Shown]]]:
    for condition in rendering.CONDITIONS[: scaled(None, 1)]:
        yield condition, [_photo(number, condition) for number in range(CONDITION)]
    for design in list(DESIGNS)[: scaled(None, 2)]:
        if design != "classic":
            yield design, [_photo(number, design=design) for number in range(DESIGN)]
    for cover in COVERS:
        places = [(f"{cover} {group}", number) for group in range(scaled(4, 1)) for number in range(GROUP)]
        yield cover, [_photo(number, design="bin_below", cover=place) for place, number in places]
    yield "specimens", [_photo(1000 + number, valid=False) for number in range(SPECIMENS)]


def _photo(
    number: int, condition: str = "flat", *, design: str = "classic", cover: str = "", valid: bool = True
) -> Shown:
    chance = random.Random(f"measure {condition} {design} {cover} {number}")
    card = rendering.card(chance, rare=True, valid=valid)
    if cover and int(cover[-1]) >= len(card.groups):
        cover = f"{cover[:-1]}0"
    return card, rendering.photo(card, condition, chance, design=design, cover=cover)


def _judged(found: Reading | Unreadable, card: Card) -> list[int]:
    if isinstance(found, Unreadable):
        return [1, 0, 0, 1, 0, 0, 0]
    exact = found.number.value == card.number
    expiry = found.expiry is not None and f"{found.expiry.year}-{found.expiry.month:02d}" == card.expiry
    holder = found.holder.value if found.holder else None
    return [1, exact, not exact, 0, expiry, holder == card.holder, holder not in (None, card.holder)]
