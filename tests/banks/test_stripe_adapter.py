"""The Stripe adapter, through the `stripe` package, against localstripe as a real server (tests/cloud/stripe_server.py)."""

import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs

import pytest

from billfold import banks, clock
from billfold.banks import Callback, Page, Payment, TakenBack, Verdict
from billfold.errors import CallbackRefused, Unavailable
from tests.cloud import stripe_server
from tests.cloud.local_http import LocalServer
from tests.cloud.secret_store import STRIPE_WEBHOOK
from tests.world.bank_fixtures import authentication

# Numbers that localstripe gives a meaning, as Stripe's own test mode does.
GOOD, DECLINED, SECURE, UNCHARGEABLE = (
    "4242424242424242",
    "4000000000000002",
    "4000002500003155",
    "4000000000000341",
)


@pytest.fixture(scope="module")
def upstream():
    with stripe_server.localstripe() as address:
        yield address


@pytest.fixture
def front(upstream):
    with stripe_server.fronted(upstream) as running:
        yield running


@pytest.fixture
def stripe(front):
    return banks.bank("stripe")


def approved(stripe, number=GOOD):
    verdict = stripe.authenticate(f"key-{number}", authentication(number))
    assert verdict.outcome == "approved"
    return verdict


def test_a_card_is_set_up_once_for_charges_off_session(stripe, front):
    """CB-07: a customer, a payment method, a SetupIntent and its confirmation; asked again, nothing is made again."""
    verdict = approved(stripe)
    assert verdict.reference.startswith("seti_")
    customer, _, method = verdict.token.partition("/")
    assert (customer[:4], method[:3]) == ("cus_", "pm_")
    assert approved(stripe) == verdict == stripe.status(f"key-{GOOD}")
    assert len([call for call in front.calls if call.startswith("POST")]) == 4


def test_a_declined_card_is_declined_again(stripe):
    """CB-15: with Stripe's code for operations."""
    for _ in range(2):
        verdict = stripe.authenticate("key", authentication(DECLINED))
        assert (verdict.outcome, verdict.reason, verdict.token) == ("declined", "card_declined", "")
    assert stripe.status("key").outcome == "declined"


def test_3d_secure_is_a_challenge_that_no_code_answers(stripe, front):
    """CB-09: what the holder's bank asks for happens elsewhere; asking how it stands sends the code nowhere."""
    verdict = stripe.authenticate("key", authentication(SECURE))
    assert (verdict.outcome, verdict.token) == ("challenge", "")
    before = len(front.calls)
    assert stripe.send_challenge("send", verdict.reference) == verdict
    assert stripe.answer_challenge("answer", verdict.reference, "123456") == verdict
    assert all(call.startswith("GET /v1/setup_intents/") for call in front.calls[before:])
    assert stripe.withdraw("withdrawal", verdict.reference) == Payment("refunded", verdict.reference)
    assert stripe.send_challenge("send", verdict.reference).outcome == "declined"


def test_a_charge_is_made_once_and_given_back(stripe):
    """CB-21: the PaymentIntent is the reference; a repeat is the same one; part and rest go back."""
    token = approved(stripe).token
    charged = stripe.charge("charge", token, 1000, "USD", "chg_1")
    assert charged.outcome == "charged"
    assert stripe.charge("charge", token, 1000, "USD", "chg_1") == charged == stripe.status("charge", token)
    part = stripe.refund("part", charged.reference, 300, "USD", "chg_2")
    assert part.outcome == "refunded"
    assert (
        stripe.refund("part", charged.reference, 300, "USD", "chg_2")
        == part
        == stripe.status("part", charged.reference)
    )
    assert stripe.refund("rest", charged.reference, 700, "USD", "chg_2").outcome == "refunded"


def test_a_card_that_cannot_be_charged_is_declined(stripe):
    """CB-21: at the charge, and when asked what became of it; it does not show in the list."""
    token = approved(stripe, UNCHARGEABLE).token
    assert stripe.charge("charge", token, 100, "USD", "chg_1").outcome == "declined"
    assert stripe.status("charge", token).outcome == "declined"
    assert stripe.charges(0, clock.now() + 1000, "") == ([], "refunds:")


def test_a_charge_that_would_need_the_holder_is_cancelled_and_declined(stripe):
    """CB-21: nobody is there; it must not succeed later."""
    verdict = stripe.authenticate("key", authentication(SECURE))
    approved(stripe)
    customer = approved(stripe).token.partition("/")[0]
    secure = stripe._api().setup_intents.retrieve(verdict.reference).payment_method
    token = f"{customer}/{secure}"
    declined = stripe.charge("charge", token, 100, "USD", "chg_1")
    assert (declined.outcome, declined.reason) == ("declined", "canceled")
    assert stripe.status("charge", token) == declined


def test_a_charge_that_was_found_waiting_for_the_holder_is_cancelled_too(stripe, front):
    """CB-21: the answer that said so was lost; looking finds it, and it must not succeed later either."""
    verdict = stripe.authenticate("key", authentication(SECURE))
    customer = approved(stripe).token.partition("/")[0]
    token = f"{customer}/{stripe._api().setup_intents.retrieve(verdict.reference).payment_method}"
    front.lose.append("/v1/payment_intents")
    assert stripe.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
    found = stripe.status("charge", token)
    assert (found.outcome, found.reason) == ("declined", "canceled")
    assert stripe.status("charge", token) == found == stripe.charge("charge", token, 100, "USD", "chg_1")


@pytest.mark.parametrize("repeat", ["ask", "look"])
def test_a_charge_whose_answer_is_lost_was_made_once(stripe, front, repeat):
    """CB-21: the connection is cut after the fact: unknown; the same key or the status finds it."""
    token = approved(stripe).token
    front.lose.append("/v1/payment_intents")
    assert stripe.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
    found = stripe.charge("charge", token, 100, "USD", "chg_1") if repeat == "ask" else stripe.status("charge", token)
    assert found.outcome == "charged"
    lines, _ = stripe.charges(0, clock.now() + 1000, "")
    assert [line.reference for line in lines] == [found.reference]


def test_an_authentication_whose_answer_is_lost_goes_on_where_it_was(stripe, front):
    """CB-13: each of its calls repeats by its own key, so one customer and one SetupIntent come of it."""
    for path in ("/v1/customers", "/v1/payment_methods", "/v1/setup_intents"):
        front.lose.append(path)
        assert stripe.authenticate("key", authentication(GOOD)) == Verdict("unknown")
    assert stripe.authenticate("key", authentication(GOOD)).outcome == "approved"
    assert front.calls.count("POST /v1/customers") == front.calls.count("POST /v1/setup_intents") == 1


def test_a_set_up_that_was_not_confirmed_is_no_verdict(stripe, front):
    """CB-13: the answer was lost between making and confirming it: nothing was refused, and asking again goes on."""
    front.lose.append("/v1/setup_intents")
    assert stripe.authenticate("key", authentication(GOOD)) == Verdict("unknown")
    assert stripe.status("key").outcome == "absent"
    assert stripe.authenticate("key", authentication(GOOD)).outcome == "approved"


@pytest.mark.parametrize(
    ("currency", "amount", "counted"),
    [
        ("USD", 1_250, 1_250),
        ("JPY", 1_250, 1_250),
        ("MGA", 1_200, 12),
        ("ISK", 5, 500),
        ("UGX", 5, 500),
        ("KWD", 5_120, 5_120),
    ],
)
def test_stripe_is_asked_and_lists_in_its_own_units(stripe, currency, amount, counted):
    """LG-02, CB-21: what is credited here is what Stripe takes, in whatever units it counts."""
    charged = stripe.charge("charge", approved(stripe).token, amount, currency, "chg_1")
    assert charged.outcome == "charged"
    made = stripe._api().payment_intents.retrieve(charged.reference)
    assert (made.amount, made.currency) == (counted, currency.lower())
    refunded = stripe.refund("refund", charged.reference, amount, currency, "chg_2")
    lines = stripe.charges(0, clock.now() + 1000, "")[0] + stripe.charges(0, clock.now() + 1000, "refunds:")[0]
    assert [(line.reference, line.amount) for line in lines] == [
        (charged.reference, counted),
        (refunded.reference, counted),
    ]


@pytest.mark.parametrize(
    ("currency", "amount"), [("MGA", 1_250), ("KWD", 5_124), ("IQD", 1_000), ("STN", 5), ("CLF", 1)]
)
def test_what_stripe_cannot_count_is_declined_and_not_asked(stripe, front, currency, amount):
    """LG-02, CB-21: nothing is rounded; a charge of an earlier version, or a part to give back, ends as declined."""
    token = approved(stripe).token
    before = len(front.calls)
    declined = Payment("declined", reason="not_counted")
    assert stripe.charge("charge", token, amount, currency, "chg_1") == declined
    assert stripe.refund("refund", "pi_1", amount, currency, "chg_2") == declined
    assert len(front.calls) == before


def test_what_stripe_can_never_charge_is_declined(front, monkeypatch):
    """CB-21: it would be settling for ever, its card could not be removed, nor its bill be paid otherwise."""
    body = json.dumps({"error": {"type": "invalid_request_error", "code": "amount_too_small", "message": "no"}})
    with LocalServer(lambda _: (400, body)) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        declined = banks.bank("stripe").charge("key", "cus_1/pm_1", 1, "USD", "chg_1")
    assert declined == Payment("declined", "", "amount_too_small")


def test_a_key_that_was_never_used_is_absent(stripe):
    """CB-13, CB-21: among the last day's authentications, a card's charges and a charge's refunds; each looks through its own."""
    token = approved(stripe).token
    charged = stripe.charge("charge", token, 100, "USD", "chg_1")
    stripe.refund("refund", charged.reference, 40, "USD", "chg_2")
    for asked_of in ("", token, charged.reference):
        assert stripe.status("never-used", asked_of) == Verdict("absent")
    other = approved(stripe, UNCHARGEABLE).token
    assert stripe.status("charge", other) == Verdict("absent") == stripe.status("refund", token)


def test_the_list_tells_charges_and_then_refunds(stripe):
    """CB-21: with our keys, for the daily comparison; only within the times that it asks for."""
    token = approved(stripe).token
    charged = stripe.charge("charge", token, 1000, "USD", "chg_1")
    refunded = stripe.refund("refund", charged.reference, 400, "USD", "chg_2")
    end = clock.now() + 1000
    charges, cursor = stripe.charges(end - clock.HOUR, end, "")
    refunds, last = stripe.charges(end - clock.HOUR, end, cursor)
    assert [(line.key, line.reference, line.kind, line.amount, line.currency) for line in (*charges, *refunds)] == [
        ("charge", charged.reference, "charge", 1000, "USD"),
        ("refund", refunded.reference, "refund", 400, "USD"),
    ]
    assert last == ""
    assert stripe.charges(0, end - clock.HOUR, "") == ([], "refunds:")


@pytest.mark.parametrize("answered", [(500, "{}"), (429, '{"error": {}}'), (401, "{}"), (400, "{}"), (200, "["), None])
def test_an_answer_that_says_nothing_reliable_is_unknown(front, monkeypatch, answered):
    """CB-13: never an exception, never a success."""
    with LocalServer(lambda _: answered) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        broken = banks.bank("stripe")
        assert broken.authenticate("key", authentication(GOOD)) == Verdict("unknown")
        assert (
            broken.send_challenge("key", "seti_1")
            == broken.answer_challenge("key", "seti_1", "1")
            == Verdict("unknown")
        )
        assert broken.charge("key", "cus_1/pm_1", 1, "USD", "chg") == Payment("unknown")
        assert broken.refund("key", "pi_1", 1, "USD", "chg") == broken.withdraw("key", "seti_1") == Payment("unknown")
        assert {broken.status("key", asked_of) for asked_of in ("", "cus_1/pm_1", "pi_1")} == {Verdict("unknown")}
        with pytest.raises(Unavailable):
            broken.charges(0, 1, "")


def test_what_cannot_be_given_back_any_more_is_declined(front, monkeypatch):
    """CB-21: Stripe says so by its code; any other refusal stays unknown."""
    body = json.dumps({"error": {"type": "invalid_request_error", "code": "charge_already_refunded", "message": "no"}})
    with LocalServer(lambda _: (400, body)) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        declined = banks.bank("stripe").refund("key", "pi_1", 1, "USD", "chg_2")
    assert declined == Payment("declined", "", "charge_already_refunded")


def test_a_typed_phone_number_asks_for_3d_secure(front, monkeypatch):
    """CB-06; and CB-07: the fields that are sent are the recorded ones, and no CVV or document is among them."""
    sent = {}

    def keep(received):
        sent[received.path] = parse_qs(received.body)
        return 200, json.dumps({"id": "seti_1", "object": "setup_intent", "status": "processing"})

    with LocalServer(keep) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        banks.bank("stripe").authenticate("key", authentication(GOOD, typed=True))
    wanted = "payment_method_options[card][request_three_d_secure]"
    assert sent["/v1/setup_intents"][wanted] == ["challenge"]
    assert set(sent["/v1/payment_methods"]) == {
        "type",
        "card[number]",
        "card[exp_month]",
        "card[exp_year]",
        "billing_details[name]",
        "billing_details[phone]",
    }


def event(kind, about, status="succeeded"):
    one = {"id": "pi_1", "status": status, "customer": "cus_1", "payment_method": "pm_1"}
    one["metadata"] = {"billfold_about": about}
    return json.dumps({"id": "evt_1", "type": kind, "data": {"object": one}})


def signature(body, secret=STRIPE_WEBHOOK, at=None):
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "setup_intent.succeeded",
            Callback("authentication", "crd_1", "pi_1", Verdict("approved", "pi_1", "cus_1/pm_1"), None, "evt_1"),
        ),
        ("payment_intent.succeeded", Callback("payment", "crd_1", "pi_1", None, Payment("charged", "pi_1"), "evt_1")),
        ("charge.updated", Callback("payment", "", "", None, None, "evt_1")),
    ],
)
def test_a_signed_event_is_read(stripe, kind, expected):
    """What does not concern us has nothing in it but its id."""
    body = event(kind, "crd_1")
    assert stripe.callback(signature(body), body, clock.now()) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Stripe-Signature": ""},
        {"Stripe-Signature": "t=1,v1=00"},
        {"Stripe-Signature": "nonsense"},
        signature(event("setup_intent.succeeded", "crd_1"), secret="whsec_other"),
        signature(event("setup_intent.succeeded", "crd_2")),
        signature(event("setup_intent.succeeded", "crd_1"), at=int(time.time()) - 301),
    ],
)
def test_an_event_with_a_missing_wrong_or_stale_signature_is_refused(stripe, headers):
    """By the package's own verification."""
    with pytest.raises(CallbackRefused):
        stripe.callback(headers, event("setup_intent.succeeded", "crd_1"), clock.now())


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"id": "evt_1", "data": {}}'])
def test_a_signed_event_that_cannot_be_read_is_refused(stripe, body):
    """Not a fault of ours."""
    with pytest.raises(CallbackRefused):
        stripe.callback(signature(body), body, clock.now())


def test_a_challenge_has_what_the_phone_goes_on_with_until_the_holder_has_confirmed(stripe):
    """CB-06, CB-09: Stripe's client secret opens it in its SDK; neither it nor an address is printed."""
    verdict = stripe.authenticate("key", authentication(SECURE))
    intent = stripe._api().setup_intents.retrieve(verdict.reference)
    assert (verdict.way, verdict.page) == ("redirect", Page("", intent.client_secret))
    assert stripe.challenge("key", verdict.reference) == verdict == stripe.status("key")
    assert intent.client_secret not in f"{verdict!r} {verdict}"
    # What the SDK does on the phone, by the secret alone.
    stripe._api().setup_intents.confirm(verdict.reference, {"client_secret": verdict.page.secret})
    confirmed = stripe.challenge("key", verdict.reference)
    assert (confirmed.outcome, confirmed.page, confirmed.way) == ("approved", None, "")
    assert stripe.charge("charge", confirmed.token, 100, "USD", "chg_1").outcome != "unknown"


def test_where_the_phone_comes_back_to_is_told_and_gives_the_page_an_address(front, monkeypatch):
    """CB-09: with BILLFOLD_STRIPE_RETURN_URL; without it Stripe is told of none (its own test above)."""
    sent = {}
    redirect = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.example/3ds"}}
    waiting = {"id": "seti_1", "status": "requires_action", "client_secret": "seti_1_secret_x", "next_action": redirect}

    def keep(received):
        sent[received.path] = parse_qs(received.body)
        return 200, json.dumps(waiting)

    monkeypatch.setenv("BILLFOLD_STRIPE_RETURN_URL", "https://app.example/cards")
    with LocalServer(keep) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        verdict = banks.bank("stripe").authenticate("key", authentication(SECURE))
    assert sent["/v1/setup_intents/seti_1/confirm"]["return_url"] == ["https://app.example/cards"]
    assert verdict.page == Page("https://hooks.example/3ds", "seti_1_secret_x")


@pytest.mark.parametrize(
    ("kind", "marks"),
    [
        ("refund.failed", {"billfold_about": "chg_2", "billfold_key": "chg_2"}),
        ("refund.updated", {"billfold_about": "chg_2"}),
        ("charge.refund.updated", {"billfold_key": "chg_2"}),
    ],
)
def test_a_refund_that_failed_later_is_heard(stripe, kind, marks):
    """VB-20: by our id; also of a refund of an earlier version, which has it as its key alone."""
    one = {"id": "re_1", "object": "refund", "status": "failed", "failure_reason": "expired_or_canceled_card"}
    body = json.dumps({"id": "evt_1", "type": kind, "data": {"object": one | {"metadata": marks}}})
    told = stripe.callback(signature(body), body, clock.now())
    failed = Payment("declined", "re_1", "expired_or_canceled_card")
    assert told == Callback("payment", "chg_2", "re_1", None, failed, "evt_1")


def test_our_refunds_name_their_charge_here(stripe):
    """VB-20: so that a later word about one finds it."""
    charged = stripe.charge("charge", approved(stripe).token, 1000, "USD", "chg_1")
    refunded = stripe.refund("refund", charged.reference, 400, "USD", "chg_2")
    made = stripe._api().refunds.retrieve(refunded.reference)
    assert made.metadata.to_dict() == {"billfold_key": "refund", "billfold_about": "chg_2"}


@pytest.mark.parametrize("kind", ["created", "updated", "funds_withdrawn", "funds_reinstated", "closed"])
def test_a_dispute_is_about_the_charge_that_it_names(stripe, kind):
    """CB-21: which only the PaymentIntent knows by our id; of a payment of other business there is none."""
    charged = stripe.charge("charge", approved(stripe).token, 1000, "USD", "chg_1")
    for reference, about in ((charged.reference, "chg_1"), ("pi_of_other_business", "")):
        one = {"id": "dp_1", "object": "dispute", "payment_intent": reference, "metadata": {}}
        body = json.dumps({"id": "evt_1", "type": f"charge.dispute.{kind}", "data": {"object": one}})
        assert stripe.callback(signature(body), body, clock.now()).about == about


def test_a_dispute_has_taken_the_money_while_it_has_one_balance_transaction(front, monkeypatch):
    """CB-21: none before it is taken, two once it was returned; amounts come in our minor units."""
    found = [
        {"id": f"dp_{count}", "amount": 12, "currency": "mga", "balance_transactions": [{}] * count}
        for count in range(3)
    ]
    with LocalServer(lambda _: (200, json.dumps({"object": "list", "data": found}))) as server:
        monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", server.address)
        assert banks.bank("stripe").taken_back("pi_1") == [TakenBack("dp_1", 1_200, "MGA")]
    monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        banks.bank("stripe").taken_back("pi_1")
