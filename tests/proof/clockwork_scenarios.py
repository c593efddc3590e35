"""Scenarios of what nobody asks for: deadlines, streams, queues and feeds."""

from billfold import ledger
from billfold.bills import bill_rows, bill_stream
from billfold.events import event_rows
from billfold.ledger import ledger_rows, ledger_stream
from billfold.tables.rows import fetch
from tests import world
from tests.proof import bill_scenarios
from tests.proof.harness import Harness, ago, happening, http, message
from tests.proof.plays import Occasion, Scenario
from tests.proof.wallet_scenarios import place_hold
from tests.world import Person, call, joined


def _ends(person: Person, bill: str, state: str) -> Occasion:
    def effect() -> None:
        assert bill_scenarios.bill_of(person, bill)["state"] == state
        assert "bill" not in call("GET", "/v1/devices", person).body["items"][0]

    return Occasion(message("end_bills", bill), effect)


def _ends_its_period(harness: Harness) -> Occasion:
    with ago(hours=5):
        person, _, bill = bill_scenarios.tapped(harness)
    return _ends(person, bill, "verifying")


def _ends_empty(harness: Harness) -> Occasion:
    person = joined(pin=None)
    with ago(hours=5):
        bill = world.opened(person)
    return _ends(person, bill, "expired_empty")


def _reminds(harness: Harness) -> Occasion:
    with ago(minutes=20):
        person, _, bill, _ = bill_scenarios.closed(harness)
    occasion = _ends(person, bill, "verifying")

    def effect() -> None:
        occasion.effect()
        assert bill_rows.load(bill).present.reminded

    return Occasion(occasion.arrive, effect)


def _gives_up(harness: Harness) -> Occasion:
    with ago(minutes=31):
        person, _, bill, _ = bill_scenarios.closed(harness)
    return _ends(person, bill, "unpaid")


def _ends_nothing(harness: Harness) -> Occasion:
    person, _, bill, _ = bill_scenarios.closed(harness)
    return _ends(person, bill, "verifying")


def _finds_bills(harness: Harness) -> Occasion:
    people = [joined(pin=None) for _ in range(2)]
    with ago(hours=5):
        bills = [world.opened(person) for person in people]

    def effect() -> None:
        states = [bill_scenarios.bill_of(person, bill)["state"] for person, bill in zip(people, bills, strict=True)]
        assert states == ["expired_empty"] * 2

    return Occasion(happening("find_due_bills", {}), effect)


def _finds_holds(harness: Harness) -> Occasion:
    people = [joined(pin=None) for _ in range(2)]
    with ago(hours=1):
        for person in people:
            world.fund(person, 10_000)
            place_hold(person, 30)

    def effect() -> None:
        accounts = [ledger.wallet(person.user_id, "USD") for person in people]
        assert [fetch(ledger_rows.balance(account)) for account in accounts] == [ledger.Balance(10_000, 0)] * 2

    return Occasion(happening("find_due_holds", {}), effect)


def _forwards_transfers(harness: Harness) -> Occasion:
    """Twelve from outside, so that they need several calls to the queue, and one between people."""
    person, other = joined(), joined(pin=None)
    for amount in range(1, 13):
        world.fund(person, amount)
    body = {"to": other.user_id, "amount": {"amount": 50, "currency": "USD"}, "reason": "lunch", "pin": world.PIN}
    sent = call("POST", "/v1/transfers", person, body).body["id"]

    def effect() -> None:
        entries = call("GET", "/v1/wallets/USD/entries", person, query={"limit": "100"}).body["items"]
        assert sorted(entry["amount"] for entry in entries) == [-50, *range(1, 13)]
        for party, kind in ((person, "transfer.sent"), (other, "transfer.received")):
            told = call("GET", "/v1/events", party).body["items"]
            assert [(event["type"], event["about"]) for event in told] == [(kind, sent)]

    return Occasion(happening("forward_transfers", harness.records("ledger")), effect)


def _forwards_changes(harness: Harness) -> Occasion:
    person, shops, bill = bill_scenarios.settled(harness, sellers=2)
    changes = bill_rows.load(bill).present.revision

    def effect() -> None:
        own = call("GET", "/v1/events", person, query={"limit": "100"}).body["items"]
        assert [event["about"] for event in own] == [bill] * changes
        told = call("GET", "/v1/events", shops[1].admin, query={"merchant": shops[1].merchant}).body["items"]
        assert [event["type"] for event in told] == ["bill.items_added", "bill.settled"]

    return Occasion(happening("forward_bill_changes", harness.records("bills")), effect)


def _forwards_the_outbox(harness: Harness) -> Occasion:
    seller = world.seller(terminals=1)

    def effect() -> None:
        own = call("GET", "/v1/events", seller.admin).body["items"]
        assert [event["type"] for event in own] == ["device.registered", "pin.set", "merchant.created"]
        told = call("GET", "/v1/events", seller.admin, query={"merchant": seller.merchant}).body["items"]
        assert [event["type"] for event in told] == ["merchant.created", "terminal.registered"]

    return Occasion(happening("forward_outbox", harness.records("outbox")), effect)


def _records_entries(harness: Harness) -> Occasion:
    person = joined(pin=None)
    world.fund(person, 700)
    transfer = next(
        found
        for record in harness.records("ledger")["Records"]
        if (found := ledger_stream.from_stream(record["dynamodb"]["NewImage"]))
    )

    def effect() -> None:
        entries = call("GET", "/v1/wallets/USD/entries", person).body["items"]
        assert [entry["amount"] for entry in entries] == [700]

    account = ledger.wallet(person.user_id, "USD").name
    return Occasion(message("record_entries", transfer.transfer_id, account), effect)


def _events(harness: Harness) -> tuple[Person, list[str]]:
    person = joined(pin=None)
    bill = world.opened(person)
    assert world.close(person, bill).status == 200
    images = [record["dynamodb"]["NewImage"] for record in harness.records("bills")["Records"]]
    changes = [image for image in images if image["sk"]["S"] != bill_rows.HeadRow.SORT]
    told = {event.change: event for image in changes for event in bill_stream.events_of(image)}
    return person, [event_rows.encode(event) for _, event in sorted(told.items())]


def _records_the_first_event(harness: Harness) -> Occasion:
    person, told = _events(harness)

    def effect() -> None:
        assert len(call("GET", "/v1/events", person).body["items"]) == 1

    return Occasion(message("record_events", told[0], person.user_id), effect)


def _records_a_further_event(harness: Harness) -> Occasion:
    person, told = _events(harness)
    message("record_events", told[0], person.user_id)()

    def effect() -> None:
        assert len(call("GET", "/v1/events", person).body["items"]) == 2

    return Occasion(message("record_events", told[1], person.user_id), effect)


def _lists_own_events(harness: Harness) -> Occasion:
    person, told = _events(harness)
    message("record_events", told[0], person.user_id)()
    return Occasion(http("GET", "/v1/events", person), _nothing)


def _lists_a_merchants_events(harness: Harness) -> Occasion:
    shop = world.seller(terminals=0)
    return Occasion(http("GET", "/v1/events", shop.admin, query={"merchant": shop.merchant}), _nothing)


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


ALL = (
    Scenario("end_bills", "a period that is over", _ends_its_period),
    Scenario("end_bills", "an empty bill", _ends_empty),
    Scenario("end_bills", "a verification to remind of", _reminds),
    Scenario("end_bills", "a verification to give up", _gives_up),
    Scenario("end_bills", "nothing due", _ends_nothing),
    Scenario("find_due_bills", "two due", _finds_bills, followed=True),
    Scenario("find_due_holds", "two due", _finds_holds, followed=True),
    Scenario("forward_transfers", "thirteen", _forwards_transfers, followed=True, streams=True),
    Scenario("record_entries", "one transfer", _records_entries, streams=True),
    Scenario("forward_bill_changes", "a bill's whole life", _forwards_changes, followed=True, streams=True),
    Scenario("forward_outbox", "two feeds", _forwards_the_outbox, followed=True, streams=True),
    Scenario("record_events", "the first of a feed", _records_the_first_event, streams=True),
    Scenario("record_events", "a further one", _records_a_further_event, streams=True),
    Scenario("list_events", "one's own", _lists_own_events, streams=True),
    Scenario("list_events", "a merchant's", _lists_a_merchants_events),
)
