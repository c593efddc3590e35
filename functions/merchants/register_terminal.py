"""Register a merchant's terminal by its Ed25519 public key.

Trigger   POST /v1/terminals                 (user)
Reads     user, merchant, operation
Writes    terminal, operation, outbox; the merchant must be active   (one transaction)
Answers   201 the terminal; 400 the key is no good point in base64; 403 suspended; 404 not the caller's merchant
Again     the same Idempotency-Key gets the first answer
May       people BatchGetItem; merchants BatchGetItem ConditionCheckItem PutItem; operations BatchGetItem PutItem;
          outbox PutItem
"""

from typing import Annotated

from msgspec import Meta

from billfold import merchants, people
from billfold.errors import Invalid, NotFound
from billfold.merchants import Terminal, merchant_rows, merchant_wire
from billfold.people import people_rows
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, public_keys, wire


class RegisterTerminal(wire.Body, frozen=True):
    merchant: wire.Id
    public_key: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9+/=]{1,64}(?!\n)$", description="raw Ed25519 public key in base64")
    ]
    name: wire.Name = wire.NameText("terminal")


@http.step(body=RegisterTerminal, answers=merchant_wire.TerminalAnswer, key=True)
def handler(request: http.Request[RegisterTerminal]) -> http.Answer:
    body, operation = request.body, request.operation("opr")
    user, merchant, done = fetch(
        people_rows.user(request.caller),
        merchant_rows.merchant(body.merchant),
        operation_rows.operation(operation),
    )
    if done:
        return request.repeat(done)

    if user is None or merchant is None or body.merchant not in user.merchants:
        raise NotFound()
    people.check_active(user)
    merchants.check_active(merchant)
    terminal = Terminal(request.new_id("trm"), body.merchant, body.name, _checked_key(body.public_key))
    answer = wire.to_builtins(merchant_wire.terminal(terminal))

    with Commit(operation) as commit:
        merchant_rows.add_terminal(commit, terminal, request.now)
        operation_rows.record(commit, operation, request.fingerprint, 201, answer, request.now)

    return http.Answer(201, answer)


def _checked_key(text: str) -> str:
    try:
        public_keys.ed25519(public_keys.decoded_base64(text))
    except ValueError:
        raise Invalid("an Ed25519 public key is 32 bytes in base64, a point of great order", "/public_key") from None
    return text
