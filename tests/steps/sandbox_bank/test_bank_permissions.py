"""The May lines of the sandbox bank's steps (XX-06): exactly what they do, over all that they are asked."""

import json

from functions.sandbox_bank import send_bank_callbacks
from infra.plan import steps
from tests.cloud.delivery import sqs_event
from tests.proof.wire import Wire, permissions
from tests.world.bank_fixtures import authentication, card

MAY = {step.name: step.may for step in steps.known(sandbox_bank=True) if step.workflow == steps.SANDBOX_BANK}


def used(wire):
    """What was asked of AWS."""
    return set().union(*(permissions(call) for call in wire.calls))


def allowed(step):
    """A `May` line in the same words."""
    tables = {(table, action) for (table, _), actions in MAY[step].actions.items() for action in actions}
    return tables | {("queue", name) for name in MAY[step].queues}


def test_answer_bank_calls_may_do_exactly_what_it_does(sandbox, bank):
    """Every route, and a callback for the queue."""
    with Wire(everywhere=True) as wire:
        bank.register("http://127.0.0.1:9/")
        reference = sandbox.authenticate("challenged", authentication(card("challenged"))).reference
        sandbox.send_challenge("send", reference)
        sandbox.answer_challenge("answer", reference, "123456")
        sandbox.authenticate("told", authentication(card("told_thrice")))
        token = sandbox.authenticate("key", authentication(card("charge_ignored"))).token
        sandbox.charge("ignored", token, 1, "USD", "chg_1")
        sandbox.status("ignored")
        sandbox.charges(0, 1, "")
    assert used(wire) == allowed("answer_bank_calls")


def test_send_bank_callbacks_may_do_exactly_what_it_does(sandbox, receiver):
    """A callback that is due, and one that is not."""
    reference = sandbox.authenticate("key", authentication(card("approved"))).reference
    with Wire() as wire:
        for due_at in (0, 10**14):
            message = {"reference": reference, "due_at": due_at, "copies": 1, "forged": False}
            send_bank_callbacks.handler(sqs_event([json.dumps(message)]), None)
    assert len(receiver.received) == 1
    assert used(wire) == allowed("send_bank_callbacks")
