"""How many numbers of 210 made-up cards are read exactly, by condition, and how long a photo takes."""

import random
import resource
import time
from statistics import mean, quantiles

from rich.table import Table

from billfold import card_photos
from billfold.card_photos import Reading
from billfold.readers import embedded
from infra import card_pictures as rendering
from infra.card_faces import Card
from tests.bench.console import console
from tests.bench.scale import scaled

CARDS = scaled(30, 2)


def main() -> None:
    """Seven conditions, thirty cards each; nothing but the seed's text decides what they look like."""
    embedded.read(rendering.photo(rendering.card(random.Random(0)), "flat", random.Random(0)))
    table = Table("condition", "cards", "number exact", "wrong number", "expiry", "holder", "ms, mean", "ms, 95 %")
    sums = [0] * 5
    times: list[float] = []
    for condition in rendering.CONDITIONS[: scaled(None, 1)]:
        counts, taken = _read_all(condition)
        times += taken
        sums = [one + other for one, other in zip(sums, counts, strict=True)]
        table.add_row(condition, *_shown(counts, taken))
    table.add_row("all", *_shown(sums, times), style="bold")
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    console.print(
        f"{sums[1] / sums[0]:.1%} of the numbers are exact; at most {peak} MiB resident, drawing the cards included"
    )


def _read_all(condition: str) -> tuple[list[int], list[float]]:
    """How many cards, exact numbers, wrong numbers, exact expiries and holders; and the seconds each photo took."""
    counts, taken = [0] * 5, []
    for number in range(CARDS):
        chance = random.Random(f"bench {condition} {number}")
        card = rendering.card(chance)
        image = rendering.photo(card, condition, chance)
        started = time.perf_counter()
        found = card_photos.interpret(embedded.read(image))
        taken.append(time.perf_counter() - started)
        right = _judged(found, card) if isinstance(found, Reading) else [0] * 4
        counts = [one + other for one, other in zip(counts, [1, *right], strict=True)]
    return counts, taken


def _judged(found: Reading, card: Card) -> list[int]:
    exact = found.number.value == card.number
    expiry = found.expiry is not None and f"{found.expiry.year}-{found.expiry.month:02d}" == card.expiry
    holder = found.holder is not None and found.holder.value == card.holder
    return [int(one) for one in (exact, not exact, expiry, holder)]


def _shown(counts: list[int], taken: list[float]) -> list[str]:
    return [*map(str, counts), f"{mean(taken) * 1000:.0f}", f"{quantiles(taken, n=20)[-1] * 1000:.0f}"]
