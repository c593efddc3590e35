"""The adapter of Stripe: SetupIntents authenticate, off-session PaymentIntents charge, by the `stripe` package.

What Stripe does otherwise than the port, and how it is mapped:

- It checks the card, and with 3-D Secure its holder; it does not compare a document or a phone number with a bank's records.
- 3-D Secure happens on a page or in an SDK of the holder's bank: no code ever passes through us. A challenge has that page, which
  Stripe gives an address when it is told where the phone goes back to (BILLFOLD_STRIPE_RETURN_URL), and its client secret, with
  which Stripe's SDK opens it; `send_challenge` and `answer_challenge` ask how it stands, and the code is sent nowhere.
- A question by idempotency key does not exist: our key is in each object's metadata, and `status` looks through the charges of
  the card's customer, the refunds of the charge, or the authentications of the last day. Who asked to send or answer a
  challenge is therefore `absent`.
- Withdrawing an authentication detaches the card from the Stripe customer that it was set up for.
- Card numbers may be sent to Stripe's API only by an account that Stripe has cleared for it (PCI DSS).
- Amounts are in units of its own, which are not ISO 4217's for MGA, ISK and UGX, and in steps of ten for three decimals
  (`bank_currencies`).
"""

import functools
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe

from billfold import aws, bank_currencies, clock
from billfold.banks import (
    CALLBACK_TOLERANCE_SECONDS,
    CONNECT_SECONDS,
    READ_SECONDS,
    Authentication,
    Bank,
    Callback,
    Listed,
    Payment,
    TakenBack,
    Verdict,
    reference_of,
    stripe_objects,
)
from billfold.banks.stripe_errors import answered
from billfold.banks.stripe_objects import KEY, Wire
from billfold.errors import CallbackRefused, Unavailable
from billfold.money import Money

# The package logs whole requests at level DEBUG, card numbers and keys included (CB-18).
logging.getLogger("stripe").disabled = True

ABOUT = "billfold_about"
LOOK_BACK = 24 * clock.HOUR
PAGE, MAX_PAGES = 100, 5
AUTHENTICATIONS = ("setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled")
PAYMENTS = ("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled")
REFUNDS = ("refund.failed", "refund.updated", "charge.refund.updated")
DISPUTES = "charge.dispute."


@dataclass(frozen=True)
class StripeBank:
    """An account at Stripe."""

    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    address: str = ""
    return_url: str = ""
    name: str = "stripe"
    fields_sent: tuple[str, ...] = ("name", "phone", "number", "expiry")

    def authenticate(self, key: str, asked: Authentication) -> Verdict:
        try:
            return stripe_objects.verdict(self._set_up(key, asked))
        except stripe.StripeError as error:
            why = answered(error)
            return Verdict("unknown") if why is None else Verdict("declined", reason=why)

    def _set_up(self, key: str, asked: Authentication) -> Wire:
        """A customer, a payment method and a confirmed SetupIntent; asked again, each step repeats by its own key."""
        api = self._api()
        marks = {KEY: key, ABOUT: asked.card_id}
        card = {"number": asked.number, "exp_month": asked.expiry_month, "exp_year": asked.expiry_year}
        details = {"name": asked.name, "phone": asked.phone}
        customer = api.customers.create({"metadata": marks}, _once(key, "customer"))
        method = api.payment_methods.create(
            {"type": "card", "card": card, "billing_details": details}, _once(key, "method")
        )
        wanted: Wire = {"customer": customer.id, "usage": "off_session", "payment_method_types": ["card"]}
        if asked.force_challenge:
            wanted["payment_method_options"] = {"card": {"request_three_d_secure": "challenge"}}
        intent = api.setup_intents.create(wanted | {"metadata": marks}, _once(key, "setup"))
        back = {"return_url": self.return_url} if self.return_url else {}
        confirmed = api.setup_intents.confirm(
            intent.id, {"payment_method": method.id} | back, _once(key, "confirmation")
        )
        return _wire(confirmed)

    def send_challenge(self, key: str, reference: str) -> Verdict:  # noqa: ARG002
        return self._asked(reference)

    def answer_challenge(self, key: str, reference: str, code: str) -> Verdict:  # noqa: ARG002
        return self._asked(reference)

    def challenge(self, key: str, reference: str) -> Verdict:  # noqa: ARG002
        return self._asked(reference)

    def _asked(self, reference: str) -> Verdict:
        try:
            return stripe_objects.verdict(_wire(self._api().setup_intents.retrieve(reference)))
        except stripe.StripeError:
            return Verdict("unknown")

    def charge(self, key: str, token: str, amount: int, currency: str, about: str) -> Payment:
        counted = bank_currencies.counted(self.name, Money(amount, currency))
        if counted is None:
            return Payment("declined", reason="not_counted")
        customer, _, method = token.partition("/")
        wanted = {
            "amount": counted,
            "currency": currency.lower(),
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "off_session": True,
            "metadata": {KEY: key, ABOUT: about},
        }
        api = self._api()
        try:
            intent = _wire(api.payment_intents.create(wanted, _once(key, "charge")))
        except stripe.StripeError as error:
            return _refused(error)
        return self._without_holder(key, intent)

    def _without_holder(self, key: str, intent: Wire) -> Payment:
        """What became of a charge. Nobody is there to act: one that waits for the holder must not succeed later."""
        if intent.get("status") == "requires_action":
            try:
                intent = _wire(self._api().payment_intents.cancel(intent["id"], {}, _once(key, "cancellation")))
            except stripe.StripeError:
                return Payment("unknown")
        return stripe_objects.charged(intent)

    def refund(self, key: str, reference: str, amount: int, currency: str, about: str) -> Payment:
        counted = bank_currencies.counted(self.name, Money(amount, currency))
        if counted is None:
            return Payment("declined", reason="not_counted")
        wanted: Wire = {"payment_intent": reference, "amount": counted, "metadata": {KEY: key, ABOUT: about}}
        try:
            return stripe_objects.refunded(_wire(self._api().refunds.create(wanted, _once(key, "refund"))))
        except stripe.StripeError as error:
            return _refused(error)

    def withdraw(self, key: str, reference: str) -> Payment:
        api = self._api()
        try:
            intent = _wire(api.setup_intents.retrieve(reference))
            if intent.get("status") == "succeeded":
                api.payment_methods.detach(intent["payment_method"], {}, _once(key, "detachment"))
            elif intent.get("status") != "canceled":
                api.setup_intents.cancel(reference, {}, _once(key, "cancellation"))
        except stripe.StripeError:
            return Payment("unknown")
        return Payment("refunded", reference)

    def status(self, key: str, asked_of: str = "") -> Verdict | Payment:
        api = self._api()
        customer, _, method = asked_of.partition("/")
        service: Any
        read: Callable[[Wire], Verdict | Payment]
        if method:
            service, within = api.payment_intents, {"customer": customer}
            read = functools.partial(self._without_holder, key)
        elif asked_of:
            service, within, read = api.refunds, {"payment_intent": asked_of}, stripe_objects.refunded
        else:
            lately: Wire = {"created": {"gte": (clock.now() - LOOK_BACK) // 1000}}
            service, within, read = api.setup_intents, lately, stripe_objects.verdict
        try:
            for one in _made(service, within):
                if (one.get("metadata") or {}).get(KEY) == key:
                    return read(one)
        except (stripe.StripeError, _TooMany):
            return Verdict("unknown")
        return Verdict("absent")

    def taken_back(self, reference: str) -> list[TakenBack]:
        """A dispute has one balance transaction once its money was taken, and two once that was returned."""
        try:
            found = _wire(self._api().disputes.list({"payment_intent": reference, "limit": PAGE}))["data"]
        except stripe.StripeError:
            raise Unavailable() from None
        taken = [one for one in found if len(one.get("balance_transactions") or []) == 1]
        minor = functools.partial(bank_currencies.minor, self.name)
        amounts = [(reference_of(one["id"]), one["amount"], one["currency"].upper()) for one in taken]
        return [TakenBack(dispute, minor(amount, currency), currency) for dispute, amount, currency in amounts]

    def _disputed(self, one: Wire) -> str:
        """Our id of the charge that a dispute is about, which only the charge itself names."""
        try:
            intent = _wire(self._api().payment_intents.retrieve(one.get("payment_intent") or ""))
        except stripe.StripeError as error:
            if answered(error) is None:
                raise Unavailable() from None
            return ""
        return reference_of((intent.get("metadata") or {}).get(ABOUT))

    def charges(self, since: int, until: int, cursor: str) -> tuple[list[Listed], str]:
        """Charges first, then refunds, each newest first; Stripe's instants are whole seconds."""
        kind, _, after = cursor.partition(":")
        api = self._api()
        service = api.refunds if kind == "refunds" else api.payment_intents
        bounds = {"gte": -(-since // 1000), "lt": -(-until // 1000)}
        try:
            page = _wire(
                service.list({"created": bounds, "limit": PAGE} | ({"starting_after": after} if after else {}))
            )
        except stripe.StripeError:
            raise Unavailable() from None
        found = [stripe_objects.listed(one) for one in page["data"] if one["status"] == "succeeded"]
        if page.get("has_more"):
            return found, f"{kind or 'charges'}:{page['data'][-1]['id']}"
        return found, "" if kind == "refunds" else "refunds:"

    def callback(self, headers: Mapping[str, str], raw_body: str, now: int) -> Callback:  # noqa: ARG002
        """The package verifies the signature, by the clock of its own."""
        sent = {name.lower(): value for name, value in headers.items()}
        signature = sent.get("stripe-signature", "")
        try:
            stripe.WebhookSignature.verify_header(raw_body, signature, self.webhook_secret, CALLBACK_TOLERANCE_SECONDS)
            told: Wire = json.loads(raw_body)
            one, kind = dict(told["data"]["object"]), told["type"]
            about = reference_of((one.get("metadata") or {}).get(ABOUT))
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CallbackRefused() from None
        event_id, reference = reference_of(told.get("id")), reference_of(one.get("id"))
        if kind in AUTHENTICATIONS:
            return Callback("authentication", about, reference, stripe_objects.verdict(one), None, event_id)
        if kind in PAYMENTS:
            return Callback("payment", about, reference, None, stripe_objects.charged(one), event_id)
        if kind in REFUNDS:
            # A refund of an earlier version has our id as its key alone.
            known = about or reference_of((one.get("metadata") or {}).get(KEY))
            return Callback("payment", known, reference, None, stripe_objects.refunded(one), event_id)
        if str(kind).startswith(DISPUTES) and reference_of(one.get("payment_intent")):
            return Callback("payment", self._disputed(one), reference, None, None, event_id)
        return Callback("payment", "", "", None, None, event_id)

    def _api(self) -> Any:
        return _client(self.key, self.address).v1


def adapter() -> Bank:
    """The account of this stage."""
    given = json.loads(aws.secret("stripe"))
    address, return_url = (os.environ.get(f"BILLFOLD_STRIPE_{name}", "") for name in ("ADDRESS", "RETURN_URL"))
    return StripeBank(given["key"], given["webhook_secret"], address, return_url)


class _TooMany(Exception):
    """More was made than is looked through."""


@functools.cache
def _client(key: str, address: str) -> stripe.StripeClient:
    """One client a process keeps connections open; nothing is asked twice, because our caller does that."""
    stripe.enable_telemetry = False
    http = stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS))
    addresses: Any = {"api": address} if address else None
    return stripe.StripeClient(key, http_client=http, max_network_retries=0, base_addresses=addresses)


def _once(key: str, part: str) -> Any:
    return {"idempotency_key": f"{key}:{part}"}


def _wire(answer: Any) -> Wire:
    return dict(answer.to_dict())


def _made(service: Any, within: Wire) -> Iterator[Wire]:
    """What was made, newest first."""
    after: Wire = {}
    for _ in range(MAX_PAGES):
        page = _wire(service.list(within | {"limit": PAGE} | after))
        yield from page["data"]
        if not page.get("has_more"):
            return
        after = {"starting_after": page["data"][-1]["id"]}
    raise _TooMany()


def _refused(error: stripe.StripeError) -> Payment:
    why = answered(error)
    return Payment("unknown") if why is None else Payment("declined", reason=why)
