"""The main job, played over HTTP as a phone and its terminals would: `make demo`.

Each workflow tells its own story (`<noun>_story`). The play ends with the books. Whatever differs from what must be ends it with
exit code 1.
"""

import importlib
import pkgutil
import time
from collections.abc import Iterator
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

import infra.demo
from infra.clients.api import Client, Refusal
from infra.demo import books
from infra.demo.cast import CURRENCY, Acts, Chapter, Customer, Play, Shop
from infra.demo.narration import Differs, Story


def play(stack: dict[str, Any], console: Console | None = None) -> int:
    """Play it all against a running stack; 0 when everything was as expected, 1 otherwise."""
    play = Play(Story(console), stack)
    started = time.monotonic()
    try:
        for chapter in chapters():
            chapter(play)
    except (Differs, Refusal, httpx.HTTPError, BotoCoreError, ClientError) as fault:
        play.story.console.print(f"\n[red bold]The demo ended early.[/red bold] {type(fault).__name__}: ", end="")
        play.story.console.print(str(fault), markup=False, highlight=False)
        return 1
    finally:
        for player in play.owners:
            player.leave()
    seconds = time.monotonic() - started
    play.story.console.print(
        f"\n[green bold]All {play.story.checks} checks hold.[/green bold] Played in {seconds:.0f} s."
    )
    return 0


def chapters() -> list[Chapter]:
    """Every chapter in the order of the play."""
    stories = list(_stories())
    opening = [chapter for story in stories for chapter in story.opening]
    middle = [chapter for story in stories for chapter in story.chapters]
    closing = [chapter for story in stories for chapter in story.closing]
    return [meet, *opening, *middle, *closing, books.show]


def _stories() -> Iterator[Acts]:
    """The stories of all workflows, by name."""
    for module in pkgutil.iter_modules(infra.demo.__path__, "infra.demo."):
        if module.name.endswith("_story"):
            acts: Acts = importlib.import_module(module.name).ACTS
            yield acts


def meet(play: Play) -> None:
    """Everybody signs in; each customer registers a new phone."""
    story, stack = play.story, play.stack
    story.chapter("The cast")
    with Client(stack["api"]) as nobody:
        story.expect("the API answers", nobody.get("/v1/health"), {"status": "ok"})
    for name in ("alice", "bob", "carol", "dave"):
        play.customers[name] = Customer(stack, name)
    play.shops += [Shop(stack, merchant) for merchant in stack["merchants"][:3]]
    story.table(
        ("who", "what", "where"),
        [(one.name, "customer", f"phone {one.device[:16]}…") for one in play.customers.values()]
        + [(shop.name, "shop", f"{len(shop.tills)} tills that sign with Ed25519") for shop in play.shops],
    )
    for shop in play.shops:
        play.before[shop.name] = shop.takings(CURRENCY)
    for name, customer in play.customers.items():
        play.before[name] = customer.wallet(CURRENCY)
