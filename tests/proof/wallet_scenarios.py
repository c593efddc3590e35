"""Scenarios of wallets, transfers and holds."""

import uuid

from billfold import clock, ledger
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from tests import world
from tests.proof.harness import Harness, ago, http, message
from tests.proof.plays import Occasion, Scenario
from tests.world import PIN, Person, call, joined

WRONG_PIN = "618243"


def _payment(payer: Person, payee: Person, *, pin: str = PIN, key: str = "pay", amount: int = 2_500) -> Occasion:
    body = {
        "to": payee.user_id,
        "amount": {"amount": amount, "currency": "USD"},
        "reason": "lunch",
        "pin": pin,
    }
    held, paid = world.wallet(payer), amount if pin == PIN and amount <= world.wallet(payer) else 0

    def effect() -> None:
        assert (world.wallet(payer), world.wallet(payee)) == (held - paid, paid)

    return Occasion(http("POST", "/v1/transfers", payer, body, key=key), effect)


def _pair() -> tuple[Person, Person]:
    payer, payee = joined(), joined(pin=None)
    world.fund(payer, 10_000)
    return payer, payee


def _pays(harness: Harness) -> Occasion:
    return _payment(*_pair())


def _pays_after_a_wrong_try(harness: Harness) -> Occasion:
    payer, payee = _pair()
    assert _payment(payer, payee, pin=WRONG_PIN, key="before").arrive().status == 403
    return _payment(payer, payee)


def _wrong_pin(harness: Harness) -> Occasion:
    return _payment(*_pair(), pin=WRONG_PIN)


def _third_wrong_pin(harness: Harness) -> Occasion:
    payer, payee = _pair()
    for key in ("one", "two"):
        assert _payment(payer, payee, pin=WRONG_PIN, key=key).arrive().status == 403
    return _payment(payer, payee, pin=WRONG_PIN)


def _too_little(harness: Harness) -> Occasion:
    return _payment(*_pair(), amount=10_001)


def _get_transfer(harness: Harness) -> Occasion:
    payer, payee = _pair()
    transfer = _payment(payer, payee).arrive().body["id"]
    return Occasion(http("GET", f"/v1/transfers/{transfer}", payee), _nothing)


def _list_wallets(harness: Harness) -> Occasion:
    payer, _ = _pair()
    return Occasion(http("GET", "/v1/wallets", payer), _nothing)


def _list_entries(harness: Harness) -> Occasion:
    payer, _ = _pair()
    world.STEPS["forward_transfers"].handler(harness.records("ledger"), None)
    harness.drain()
    assert call("GET", "/v1/wallets/USD/entries", payer).body["items"]
    return Occasion(http("GET", "/v1/wallets/USD/entries", payer), _nothing)


def place_hold(person: Person, minutes: int) -> str:
    hold_id = "hld_" + uuid.uuid4().hex
    account, now = ledger.wallet(person.user_id, "USD"), clock.now()
    commit = Commit(hold_id)
    ledger_rows.place_hold(commit, ledger.hold(hold_id, account, 4_000, expires_at=now + minutes * 60_000, now=now))
    commit.send()
    return hold_id


def _expires(harness: Harness) -> Occasion:
    payer, _ = _pair()
    with ago(hours=1):
        hold_id = place_hold(payer, 30)

    def effect() -> None:
        account = ledger.wallet(payer.user_id, "USD")
        assert fetch(ledger_rows.balance(account)) == ledger.Balance(10_000, 0)
        assert fetch(ledger_rows.hold(hold_id)).state == "expired"

    return Occasion(message("expire_holds", hold_id), effect)


def _not_yet(harness: Harness) -> Occasion:
    payer, _ = _pair()
    hold_id = place_hold(payer, 30)

    def effect() -> None:
        assert fetch(ledger_rows.balance(ledger.wallet(payer.user_id, "USD"))) == ledger.Balance(6_000, 4_000)

    return Occasion(message("expire_holds", hold_id), effect)


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


ALL = (
    Scenario("post_transfer", "pays", _pays, 201),
    Scenario("post_transfer", "pays after a wrong try", _pays_after_a_wrong_try, 201),
    Scenario("post_transfer", "a wrong PIN", _wrong_pin, 403),
    Scenario("post_transfer", "a third wrong PIN", _third_wrong_pin, 403),
    Scenario("post_transfer", "more than there is", _too_little, 409),
    Scenario("get_transfer", "its payee", _get_transfer),
    Scenario("list_wallets", "one wallet", _list_wallets),
    Scenario("list_wallet_entries", "one entry", _list_entries, streams=True),
    Scenario("expire_holds", "a hold past its deadline", _expires),
    Scenario("expire_holds", "a hold before its deadline", _not_yet),
)
