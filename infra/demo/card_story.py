"""The demo's chapters about cards: Erin photographs one and links it, it fills her wallet and pays a bill, and the lost answer
of a bank costs nothing.

The bank is the sandbox's, a service of its own; what its cards do is in docs/sandbox.md.
"""

import random
from dataclasses import dataclass
from typing import Any

import httpx

from infra.clients.api import Refusal
from infra.demo import bills, card_pictures, cards
from infra.demo.card_faces import Card
from infra.demo.cast import CURRENCY, Acts, Customer, Play, money

# Asks for a code; has the holder confirm on a page of its own; loses the first answer to every charge.
CHALLENGED, PAGED, CHARGE_LOST = "40000011", "40000013", "40000041"
CODE, WRONG_CODE = "123456", "654321"
TOP_UP, LOST_TOP_UP, LUNCH = 2_500, 1_000, ("Lunch", 1, 1_450)
# The stream, two queues, the state machine's steps and the bank, each a function that may have to start.
CARD_SECONDS = 90


@dataclass
class Notes:
    """`number` and `photo`, as Erin's picture was read, and the `card` that she linked by it."""

    number: str = ""
    photo: str = ""
    card: str = ""


def photograph_card(play: Play) -> None:
    """A picture of a card, drawn a moment ago, is read, shown to its owner and thrown away."""
    story = play.story
    story.chapter("Erin photographs a card")
    erin = play.customers["erin"] = Customer(play.stack, "erin")
    play.before["erin"] = erin.wallet(CURRENCY)
    drawn = Card(cards.number(CHALLENGED), "Visa", "2031-07", "ERIN HOLDER", "Harbour Savings")
    picture = card_pictures.photo(drawn, "tilted", random.Random())
    photo = erin.api.post("/v1/card-photos", {"content_type": "image/jpeg"})
    form = photo["upload"]
    sent = httpx.post(form["url"], data=form["fields"], files={"file": ("card.jpg", picture)}, timeout=30)
    story.expect(f"the picture of {len(picture) // 1024} KiB goes straight to storage", sent.is_success, True)
    read = story.wait("the reading", lambda: _read(erin, photo["id"]), at_most_seconds=CARD_SECONDS)
    shown = [(name, read[name]) for name in ("number", "brand", "holder") if name in read]
    story.table(
        ("field", "as read", ">sure"), [(name, field["value"], f"{field['confidence']:.0%}") for name, field in shown]
    )
    story.expect("every digit is right", read["number"]["value"], drawn.number)
    expiry = {part: read["expiry"][part] for part in ("year", "month")}
    story.expect("and so is the expiry", expiry, {"year": 2031, "month": 7})
    notes = play.notes(Notes)
    notes.number, notes.photo = str(read["number"]["value"]), str(photo["id"])


def _read(customer: Customer, photo: str) -> dict[str, Any] | None:
    seen = dict(customer.api.get(f"/v1/card-photos/{photo}"))
    return None if seen["state"] == "awaiting_upload" else seen


def link_card(play: Play) -> None:
    """Erin confirms what was read. The bank asks for a code, and her first one is wrong."""
    story, erin, notes = play.story, play["erin"], play.notes(Notes)
    story.chapter("She links it; her bank asks for a code")
    mistyped = notes.number
    mistyped = mistyped[:-1] + str((int(mistyped[-1]) + 1) % 10)
    story.expect(
        "a number with a wrong digit is refused, and no bank is asked", _refused(erin, mistyped), "card_invalid"
    )
    bound = cards.bind(erin, notes.number, photo=notes.photo)
    story.expect(
        f"her {bound['brand']} ending {bound['last4']} is known, and cannot pay yet", bound["state"], "created"
    )
    seen = _when(play, erin, bound["id"], "challenged", "the bank's word")
    story.say(f"[dim]{seen['text']}[/dim]")
    story.expect("a wrong code is counted", _answered(erin, bound["id"], WRONG_CODE), ("code_wrong", 4))
    erin.api.post(f"/v1/cards/{bound['id']}/challenge", {"code": CODE})
    seen = _when(play, erin, bound["id"], "active", "the card's activation")
    text = f"{seen['brand']} ending {seen['last4']} is now linked. You can pay with it."
    story.expect("the right one links it", seen["text"], text)
    notes.card = str(bound["id"])
    told = story.wait(
        "the confirmation on her phone",
        lambda: next((one for one in erin.told(bound["id"]) if one["type"] == "card.linked"), None),
        at_most_seconds=CARD_SECONDS,
    )
    story.expect("her phone is told", told["data"]["text"], text)


def confirm_on_page(play: Play) -> None:
    """Another bank sends no code: it has a page, whose address Erin's phone alone is given."""
    story, erin = play.story, play["erin"]
    story.chapter("Another of her banks has her confirm on its own page")
    card = str(cards.bind(erin, cards.number(PAGED))["id"])
    seen = _when(play, erin, card, "challenged", "the bank's word")
    story.say(f"[dim]{seen['text']}[/dim]")
    story.expect("no code is awaited", _answered(erin, card, CODE)[0], "no_code_awaited")
    page = erin.api.post(f"/v1/cards/{card}/challenge/page", proven=True)["challenge"]["page"]
    story.expect("she confirms there", httpx.post(page["url"], json={"confirm": True}, timeout=30).is_success, True)
    _when(play, erin, card, "active", "the card's activation")
    erin.api.delete(f"/v1/cards/{card}", {"pin": erin.pin})


def top_up(play: Play) -> None:
    """From the card to the wallet: held, charged at the bank, posted."""
    story, erin = play.story, play["erin"]
    story.chapter("The card fills her wallet")
    started = cards.top_up(erin, play.notes(Notes).card, TOP_UP)
    story.expect("the top-up settles while the bank is asked", started["state"], "settling")
    _settled(play, erin, started["id"])
    story.expect(f"{money(TOP_UP)} are in the wallet", erin.wallet(CURRENCY) - play.before["erin"], TOP_UP)


def pay_by_card(play: Play) -> None:
    """A bill's verification names the card: one charge, one credit a seller."""
    story, erin, cafe = play.story, play["erin"], play.shops[0]
    story.chapter("The card pays a bill")
    bill_id = bills.open_bill(erin, CURRENCY)["id"]
    bills.tap(erin, bill_id, [cafe.tills[0].item(bill_id, [LUNCH])])
    request = bills.close(erin, bill_id)["verification"]
    before = erin.wallet(CURRENCY)
    paying = bills.verify(erin, bill_id, request["list_hash"], erin.pin, instrument=play.notes(Notes).card)
    story.expect("verified, it settles while the bank is asked", paying["state"], "settling")
    story.wait(
        "the bank's charge",
        lambda: True if bills.read(erin, bill_id)["state"] == "settled" else None,
        at_most_seconds=CARD_SECONDS,
    )
    story.expect(f"{cafe.name} is paid {money(LUNCH[2])}; the wallet has not moved", erin.wallet(CURRENCY), before)


def lose_answer(play: Play) -> None:
    """The bank charges and its answer is lost: asked again with the same key, it tells what it did, once."""
    story, erin = play.story, play["erin"]
    story.chapter("A charge whose answer is lost is asked about, never repeated")
    bound = cards.bind(erin, cards.number(CHARGE_LOST))
    _when(play, erin, bound["id"], "active", "the card's activation")
    before = erin.wallet(CURRENCY)
    started = cards.top_up(erin, bound["id"], LOST_TOP_UP)
    _settled(play, erin, started["id"])
    story.expect("the money arrived once", erin.wallet(CURRENCY) - before, LOST_TOP_UP)
    erin.api.delete(f"/v1/cards/{bound['id']}", {"pin": erin.pin})
    story.expect("removed with the PIN, the card cannot pay from then on", _spent(erin, bound["id"]), "card_not_active")


ACTS = Acts(chapters=(photograph_card, link_card, confirm_on_page, top_up, pay_by_card, lose_answer))


def _when(play: Play, customer: Customer, card: str, state: str, what: str) -> dict[str, Any]:
    """The card once it is in this state."""

    def look() -> dict[str, Any] | None:
        seen = cards.read(customer, card)
        return seen if seen["state"] == state else None

    return play.story.wait(what, look, at_most_seconds=CARD_SECONDS)


def _settled(play: Play, customer: Customer, top_up_id: str) -> None:
    def look() -> bool | None:
        return True if customer.api.get(f"/v1/top-ups/{top_up_id}")["state"] == "settled" else None

    play.story.wait("the bank's charge", look, at_most_seconds=CARD_SECONDS)


def _refused(customer: Customer, card_number: str) -> str:
    try:
        return str(cards.bind(customer, card_number)["state"])
    except Refusal as refusal:
        return refusal.code


def _answered(customer: Customer, card: str, code: str) -> tuple[str, int]:
    try:
        customer.api.post(f"/v1/cards/{card}/challenge", {"code": code})
    except Refusal as refusal:
        return refusal.code, int(refusal.problem.get("tries_left", 0))
    return "", 0


def _spent(customer: Customer, card: str) -> str:
    try:
        return str(cards.top_up(customer, card, LOST_TOP_UP)["state"])
    except Refusal as refusal:
        return refusal.code
