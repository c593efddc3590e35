"""The bank's HTTP routes: who asks, what is asked, and how, or whether, the answer arrives.

POST /v1/authentications      {merchant_reference, number, force_challenge, …}    approved | declined | challenge
POST /v1/challenges           {authentication}                                    a new code is sent
POST /v1/challenge-answers    {authentication, code}                              approved | declined | challenge
POST /v1/charges              {token, amount, currency, merchant_reference}       charged | declined
POST /v1/refunds              {reference, amount}                                 refunded | declined
GET  /v1/operations?key=      what became of an operation, as it is now; 404 `unknown_operation`
GET  /v1/disputes?reference=  of a charge
GET  /v1/payments?since=&until=&cursor=      charges and refunds, oldest first
PUT  /v1/webhook              {address}                                           where callbacks go
POST /v1/pages?secret=        {confirm}      the holder's own call, from the page that stands in for the bank's

Every other POST carries an Idempotency-Key: the same key gets the same answer, for ever; with another request 422.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billfold import clock
from billfold.errors import Refusal
from billfold.tables.commits import Commit
from billfold.triggers.again import until_fresh
from sandbox_bank import authentications, behaviours, callbacks, keys, payments, rows
from sandbox_bank.behaviours import Behaviour
from sandbox_bank.rows import OperationRow

Wire = dict[str, Any]
Answer = tuple[int, Wire]
ROUTES = {
    ("POST", "/v1/authentications"): ("merchant_reference", "number", "force_challenge"),
    ("POST", "/v1/challenges"): ("authentication",),
    ("POST", "/v1/challenge-answers"): ("authentication", "code"),
    ("POST", "/v1/charges"): ("token", "amount", "currency", "merchant_reference"),
    ("POST", "/v1/refunds"): ("reference", "amount"),
    ("GET", "/v1/operations"): (),
    ("GET", "/v1/disputes"): (),
    ("GET", "/v1/payments"): (),
    ("PUT", "/v1/webhook"): ("address",),
    ("POST", "/v1/pages"): ("confirm",),
}
QUIET_LOOKS = 2
# Longer than the three seconds that the merchant waits.
SILENCE_SECONDS = 4.0
SILENCE: Answer = (504, {"error": "no_answer"})


@dataclass(frozen=True)
class Call:
    """One HTTP call of the merchant."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: str


def answer(call: Call) -> Answer:
    """Status and body of a call's answer. Silence takes longer than anybody waits, and is then what a gateway would say."""
    needed = ROUTES.get((call.method, call.path))
    if needed is None:
        return 404, {"error": "unknown_route"}
    if call.path != "/v1/pages" and not keys.calls_allowed(call.headers.get("authorization", "")):
        return 401, {"error": "unauthorized"}
    request = _read(call.body) if needed else {}
    if request is None or not set(needed) <= set(request) or not _sound(call, request):
        return 400, {"error": "malformed"}
    try:
        found = _looked(call) if call.method == "GET" else _done(call, request)
    except Refusal:
        return 503, {"error": "busy"}
    if found == SILENCE:
        time.sleep(float(os.environ.get("BILLFOLD_SANDBOX_BANK_SILENCE_SECONDS", SILENCE_SECONDS)))
    return found


def _read(text: str) -> Wire | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _sound(call: Call, request: Wire) -> bool:
    """Numbers of cards have 12 to 19 digits; amounts are minor units, none refunds all that is left; times are whole."""
    amount, query = request.get("amount"), call.query
    counted = (
        call.path != "/v1/charges"
        if amount is None
        else (isinstance(amount, int) and not isinstance(amount, bool) and amount > 0)
    )
    card = re.fullmatch(r"[0-9]{12,19}", str(request.get("number", "0" * 12)))
    return counted and card is not None and all(query.get(name, "0").isdecimal() for name in ("since", "until"))


def _looked(call: Call) -> Answer:
    if call.path == "/v1/payments":
        since, until = int(call.query.get("since", "0")), int(call.query.get("until", str(clock.now())))
        return 200, payments.listed(since, until, call.query.get("cursor", ""))
    if call.path == "/v1/disputes":
        charged = rows.payment(call.query.get("reference", ""))
        return (200, payments.disputes(charged, clock.now())) if charged else (404, {"error": "unknown_reference"})
    return _status(call.query.get("key", ""))


def _status(key: str) -> Answer:
    """What became of an operation; cards that keep the bank silent keep it silent about them too."""
    not_known: Answer = (404, {"error": "unknown_operation"})
    found = rows.operation(key)
    if found is None:
        return not_known
    behaviour = behaviours.NAMED[found.behaviour]
    if behaviour.ignored:
        return SILENCE
    if found.answer is None:
        quiet = found.kind == "charge" and behaviour.charging == "ignored" and rows.count_look(key).looks <= QUIET_LOOKS
        return SILENCE if quiet else not_known
    if made := rows.payment(found.answer["reference"]):
        return 200, payments.present(made, clock.now())
    row = rows.authentication(found.answer["reference"]) if found.answer["kind"] == "authentication" else None
    return 200, authentications.shown(authentications.present(row, clock.now()) if row else found.answer)


def _done(call: Call, request: Wire) -> Answer:
    if call.path == "/v1/webhook":
        rows.register_webhook(str(request["address"]))
        return 200, {"address": request["address"]}
    if call.path == "/v1/pages":
        return until_fresh(lambda: _confirmed(call.query.get("secret", ""), confirmed=request["confirm"] is True))
    key, kind = call.headers.get("idempotency-key", ""), call.path.rpartition("/")[2].removesuffix("s")
    behaviour = _behaviour(kind, request)
    if not key or behaviour is None:
        return (400, {"error": "idempotency_key_missing"}) if not key else (404, {"error": "unknown_reference"})
    found = rows.count_ask(key, kind, behaviour.name, request)
    if found.request != rows.hashed(key, kind, request):
        return 422, {"error": "idempotency_key_reused"}
    ignored = behaviour.ignored or (kind == "charge" and behaviour.charging == "ignored")
    if ignored or found.asks <= behaviour.failing_asks * (kind == "authentication"):
        return SILENCE if ignored else (500, {"error": "out_of_order"})
    settled, answers_at = _settled(found, key, kind, request, behaviour)
    silent = clock.now() < answers_at or found.asks <= _silent_asks(kind, behaviour)
    return SILENCE if silent else (200, authentications.shown(settled))


def _confirmed(secret: str, *, confirmed: bool) -> Answer:
    """What the holder says on the bank's page, which a callback tells at once; said again, nothing changes."""
    row = rows.authentication(keys.page_of(secret))
    if row is None or not behaviours.NAMED[row.behaviour].paged:
        return 404, {"error": "unknown_reference"}
    if row.outcome == "challenge" and not row.withdrawn:
        with Commit(secret) as commit:
            authentications.confirm(commit, row, confirmed)
        callbacks.send(row.pk, clock.now())
    return 200, {"outcome": rows.the_authentication(row.pk).outcome}


def _behaviour(kind: str, request: Wire) -> Behaviour | None:
    """How the bank behaves with the card that this is about; None when it knows no such thing."""
    if kind == "authentication":
        return behaviours.of(str(request["number"]))
    reference = str(request.get("authentication") or request.get("reference") or "")
    if kind == "charge":
        reference = keys.authentication_of(str(request["token"]))
    if kind == "refund" and rows.payment(reference):
        return behaviours.DEFAULT
    row = rows.authentication(reference)
    return behaviours.NAMED[row.behaviour] if row else None


def _silent_asks(kind: str, behaviour: Behaviour) -> int:
    """How many asks of an operation of this kind get no answer, though it is done."""
    if kind == "authentication":
        return behaviour.silent_asks
    if kind == "challenge-answer":
        return int(behaviour.answers_lost)
    return int(kind == "charge" and behaviour.charging in ("lost", "lost_then_told"))


def _settled(found: OperationRow, key: str, kind: str, request: Wire, behaviour: Behaviour) -> tuple[Wire, int]:
    """What an operation came to, and from when on it is answered: of asks side by side, one does it."""
    fresh = []

    def run() -> tuple[Wire, int]:
        known = rows.operation(key)
        if known and known.answer is not None:
            return known.answer, known.answers_at
        with Commit(found.pk) as commit:
            made, answers_at = _make(commit, key, kind, request, behaviour, clock.now())
            rows.settle(commit, found, made, answers_at)
        fresh.append(True)
        return made, answers_at

    settled, answers_at = until_fresh(run)
    if fresh:
        callbacks.follow(behaviour, settled, answers_at)
    return settled, answers_at


def _make(commit: Commit, key: str, kind: str, request: Wire, behaviour: Behaviour, now: int) -> tuple[Wire, int]:
    if kind == "authentication":
        return authentications.start(commit, key, request, now)
    if kind == "charge":
        row = rows.authentication(keys.authentication_of(str(request["token"])))
        declined = "insufficient_funds" if behaviour.charging == "declined" else ""
        return payments.charge(commit, key, request, row, declined, now), now
    if kind == "refund":
        reference = str(request["reference"])
        if charged := rows.payment(reference):
            return payments.refund(commit, key, charged, request, now), now
        return authentications.withdraw(commit, rows.the_authentication(reference)), now
    row = rows.the_authentication(str(request["authentication"]))
    if kind == "challenge":
        return authentications.send_code(commit, row, now), now
    return authentications.take_code(commit, row, str(request["code"]), now), now
