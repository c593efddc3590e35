"""The map: every step with its trigger, on one page.

Each line ties one trigger to one step: `functions/<workflow>/<step>.py`, a Lambda function of its own. Chalice serves the
HTTP ones in development (`chalice local`); `python -m infra` reads this page to build the templates and deploys each step
by itself. A step gets the untouched event and never imports Chalice.
"""

from typing import Any

from chalice import Chalice, CognitoUserPoolAuthorizer, Cron, Rate, Response

from functions.bills import (
    add_items,
    close_bill,
    dispute_item,
    end_bills,
    find_due_bills,
    get_bill,
    list_bills,
    open_bill,
    refund_items,
    verify_bill,
    void_item,
)
from functions.card_photos import (
    expire_card_photos,
    find_due_photos,
    get_card_photo,
    read_card_photo,
    start_card_photo,
)
from functions.cards import (
    activate_card,
    answer_challenge,
    ask_bank,
    await_bank,
    bind_card,
    check_card,
    end_card,
    expire_cards,
    find_due_cards,
    find_old_seals,
    forward_card_changes,
    get_card,
    list_cards,
    open_bank_page,
    receive_callback,
    remove_card,
    reseal_card,
    resend_challenge,
    resume_authentication,
    send_challenge,
    start_authentication,
    withdraw_approval,
)
from functions.charges import (
    compare_charges,
    forward_charge_changes,
    get_top_up,
    reconcile_charges,
    settle_charge,
    top_up_wallet,
)
from functions.events import forward_bill_changes, forward_outbox, list_events, record_events
from functions.gateway import check_health, show_contract
from functions.ledger import (
    expire_holds,
    find_due_holds,
    forward_transfers,
    get_transfer,
    list_wallet_entries,
    list_wallets,
    post_transfer,
    record_entries,
)
from functions.merchants import (
    create_merchant,
    get_merchant,
    list_merchant_entries,
    list_terminals,
    register_terminal,
    revoke_terminal,
)
from functions.people import list_devices, register_device, remove_device, set_pin
from functions.sandbox_bank import answer_bank_calls, send_bank_callbacks

app = Chalice(app_name="billfold")
# The ARNs stand for what the deployment knows by name; nothing is looked up here.
# Not part of Billfold: the foreign bank that it calls in sandbox stages.
bank = Chalice(app_name="billfold-sandbox-bank")
users = CognitoUserPoolAuthorizer("users", provider_arns=["arn:aws:cognito-idp:*:*:userpool/billfold"])
# What Chalice has no word for.
kept_days: dict[str, int] = {}


def name_of(step: Any) -> str:
    """The step's one name: file = function = log name."""
    return str(step.__name__).rpartition(".")[2]


def http(method: str, path: str, step: Any, *, signed_in: bool = True) -> None:
    """A route answered by a step."""

    def view(**_: str) -> Response:
        request = app.current_request
        assert request is not None, "a view runs within a request"
        # `chalice local` has these in the context alone; API Gateway says them first of all.
        context = request.context
        said = {"httpMethod": request.method, "path": context["path"], "resource": context["resourcePath"]}
        answer = step.handler(said | request.to_original_event(), app.lambda_context)
        return Response(body=answer["body"], status_code=answer["statusCode"], headers=answer["headers"])

    authorizer = {"authorizer": users} if signed_in else {}
    types = ["application/json", "application/octet-stream", ""]
    app.route(path, methods=[method], name=name_of(step), content_types=types, **authorizer)(view)


def queue(name: str, step: Any, *, batch: int = 10, at_once: int = 20, ordered: bool = False) -> None:
    """A queue whose messages a step handles: `batch` a call, `at_once` calls at most. What calls banks takes one message a call,
    because a batch that outlasts the function's time comes again whole. `ordered`: a log's messages keep their order, one receiver
    at a time, in a FIFO queue."""
    named, asked = f"billfold-{name}{'.fifo' * ordered}", name_of(step)
    app.on_sqs_message(queue=named, batch_size=batch, maximum_concurrency=at_once, name=asked)(_named(step))


def stream(table: str, step: Any) -> None:
    """A table whose changes a step forwards."""
    arn = f"arn:aws:dynamodb:*:*:table/billfold-{table}/stream/*"
    app.on_dynamodb_record(stream_arn=arn, batch_size=100, starting_position="TRIM_HORIZON", name=name_of(step))(
        _named(step)
    )


def every_minute(step: Any) -> None:
    """A schedule."""
    app.schedule(Rate(1, unit=Rate.MINUTES), name=name_of(step))(_named(step))


def every_ten_minutes(step: Any) -> None:
    """A schedule."""
    app.schedule(Rate(10, unit=Rate.MINUTES), name=name_of(step))(_named(step))


def every_day(step: Any) -> None:
    """A schedule at a time of day, UTC: a rate counts from the deployment, and drifts over a midnight."""
    app.schedule(Cron(10, 2, "*", "*", "?", "*"), name=name_of(step))(_named(step))


def upload(bucket: str, step: Any, *, keep_days: int) -> None:
    """A bucket whose new objects a step handles; what still lies there after so many days is deleted."""
    kept_days[bucket] = keep_days
    app.on_s3_event(bucket=f"billfold-{bucket}", events=["s3:ObjectCreated:*"], name=name_of(step))(_named(step))


def task(step: Any) -> None:
    """A task of the state machine that names it, `infra/plan/<machine>.asl.json`."""

    def run(event: Any, context: Any) -> Any:
        return step.handler(event, context)

    app.lambda_function(name=name_of(step))(run)


def bank_call(method: str, path: str, step: Any) -> None:
    """A route of the sandbox bank's own API, where the step itself checks who calls."""
    bank.route(path, methods=[method], name=name_of(step))(step.handler)


def bank_queue(name: str, step: Any) -> None:
    """A queue of the sandbox bank, which calls Billfold."""
    named, asked = f"billfold-{name}", name_of(step)
    bank.on_sqs_message(queue=named, batch_size=1, maximum_concurrency=20, name=asked)(_named(step))


def _named(step: Any) -> Any:
    def run(event: Any) -> Any:
        return step.handler(event.to_dict(), event.context)

    run.__name__ = name_of(step)
    return run


http("GET", "/v1/health", check_health, signed_in=False)
http("GET", "/v1/openapi.json", show_contract, signed_in=False)

http("POST", "/v1/devices", register_device)
http("GET", "/v1/devices", list_devices)
http("DELETE", "/v1/devices/{device}", remove_device)
http("PUT", "/v1/pin", set_pin)

http("GET", "/v1/wallets", list_wallets)
http("GET", "/v1/wallets/{currency}/entries", list_wallet_entries)
http("POST", "/v1/transfers", post_transfer)
http("GET", "/v1/transfers/{transfer}", get_transfer)
stream("ledger", forward_transfers)
queue("statements", record_entries, ordered=True, at_once=40)
every_minute(find_due_holds)
queue("due-holds", expire_holds)

http("POST", "/v1/bills", open_bill)
http("GET", "/v1/bills", list_bills)
http("GET", "/v1/bills/{bill}", get_bill)
http("POST", "/v1/bills/{bill}/items", add_items)
http("DELETE", "/v1/bills/{bill}/items/{item}", void_item)
http("POST", "/v1/bills/{bill}/items/{item}/dispute", dispute_item)
http("POST", "/v1/bills/{bill}/close", close_bill)
http("POST", "/v1/bills/{bill}/verification", verify_bill)
http("POST", "/v1/bills/{bill}/refunds", refund_items)
every_minute(find_due_bills)
queue("due-bills", end_bills, at_once=40)

http("POST", "/v1/card-photos", start_card_photo)
http("GET", "/v1/card-photos/{photo}", get_card_photo)
upload("photos", read_card_photo, keep_days=1)
every_minute(find_due_photos)
queue("due-photos", expire_card_photos)

http("POST", "/v1/cards", bind_card)
http("GET", "/v1/cards", list_cards)
http("GET", "/v1/cards/{card}", get_card)
http("POST", "/v1/cards/{card}/challenge", answer_challenge)
http("POST", "/v1/cards/{card}/challenge/resend", resend_challenge)
http("POST", "/v1/cards/{card}/challenge/page", open_bank_page)
http("DELETE", "/v1/cards/{card}", remove_card)
http("POST", "/v1/banks/{bank}/callbacks", receive_callback, signed_in=False)
stream("cards", forward_card_changes)
queue("authentications", start_authentication)
task(check_card)
task(ask_bank)
task(send_challenge)
task(await_bank)
task(activate_card)
task(end_card)
queue("answers", resume_authentication)
queue("withdrawals", withdraw_approval, batch=1)
every_minute(find_due_cards)
queue("due-cards", expire_cards)
every_ten_minutes(find_old_seals)
queue("reseals", reseal_card)

http("POST", "/v1/top-ups", top_up_wallet)
http("GET", "/v1/top-ups/{top_up}", get_top_up)
stream("charges", forward_charge_changes)
queue("charges", settle_charge, batch=1, at_once=50)
every_day(reconcile_charges)
queue("comparisons", compare_charges, batch=1, at_once=5)

http("POST", "/v1/merchants", create_merchant)
http("GET", "/v1/merchants/{merchant}", get_merchant)
http("GET", "/v1/merchants/{merchant}/entries", list_merchant_entries)
http("GET", "/v1/merchants/{merchant}/terminals", list_terminals)
http("POST", "/v1/terminals", register_terminal)
http("DELETE", "/v1/terminals/{terminal}", revoke_terminal)

stream("bills", forward_bill_changes)
stream("outbox", forward_outbox)
queue("feeds", record_events, ordered=True, at_once=40)
http("GET", "/v1/events", list_events)

# ------------------------------------------------------------- the sandbox bank: sandbox stages only, an API of its own
bank_call("POST", "/v1/authentications", answer_bank_calls)
bank_call("POST", "/v1/challenges", answer_bank_calls)
bank_call("POST", "/v1/challenge-answers", answer_bank_calls)
bank_call("POST", "/v1/charges", answer_bank_calls)
bank_call("POST", "/v1/refunds", answer_bank_calls)
bank_call("GET", "/v1/operations", answer_bank_calls)
bank_call("GET", "/v1/disputes", answer_bank_calls)
bank_call("GET", "/v1/payments", answer_bank_calls)
bank_call("PUT", "/v1/webhook", answer_bank_calls)
bank_call("POST", "/v1/pages", answer_bank_calls)
bank_queue("bank-callbacks", send_bank_callbacks)
