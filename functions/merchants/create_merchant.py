"""Create a merchant with its administrator.

Trigger   POST /v1/merchants                 (merchant_admins, operations)
Reads     the administrator's user, operation
Writes    merchant, user, operation, outbox  (one transaction)
Answers   201 the merchant; 403 only operations may name another administrator; 404 unknown user
Again     the same Idempotency-Key gets the first answer
May       people BatchGetItem UpdateItem; merchants PutItem; operations BatchGetItem PutItem;
          outbox PutItem
"""

from billfold import people
from billfold.errors import Forbidden, NotFound
from billfold.merchants import Merchant, merchant_rows
from billfold.people import people_rows
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class CreateMerchant(wire.Body, frozen=True):
    name: wire.Name
    admin: wire.Id | None = None


class MerchantAnswer(wire.View, frozen=True):
    id: str
    name: str
    admin: str


@http.step(body=CreateMerchant, answers=MerchantAnswer, key=True, groups=frozenset({"merchant_admins", "operations"}))
def handler(request: http.Request[CreateMerchant]) -> http.Answer:
    admin, operation = request.body.admin or request.caller, request.operation("opr")
    user, done = fetch(people_rows.user(admin), operation_rows.operation(operation))
    if done:
        return request.repeat(done)

    if admin != request.caller and "operations" not in request.groups:
        raise Forbidden()
    if user is None:
        raise NotFound()
    people.check_active(user)
    merchant = Merchant(request.new_id("mer"), request.body.name, admin)
    answer = wire.to_builtins(MerchantAnswer(merchant.merchant_id, merchant.name, merchant.admin))

    with Commit(operation) as commit:
        merchant_rows.add_merchant(commit, merchant, request.now)
        people_rows.add_merchants(commit, user, (*user.merchants, merchant.merchant_id))
        operation_rows.record(commit, operation, request.fingerprint, 201, answer, request.now)

    return http.Answer(201, answer)
