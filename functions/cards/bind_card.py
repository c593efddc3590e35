"""Bind a payment card to its owner; its bank is asked afterwards.

Trigger   POST /v1/cards                     (user's device)
Reads     user, device, DPoP proof, photo, holders of the card, limits, operation
Writes    card, change, vault, holders, limits, operation, DPoP proof   (one transaction; less of a card that is held already)
Answers   201 the card, created; 200 the card that the caller holds already; 404 another's photo; 409 held by three; 422 no
          card, or no bank serves it; 429 too many tried
Again     the same Idempotency-Key gets the first answer; the same card is bound once
May       people BatchGetItem; cards BatchGetItem ConditionCheckItem PutItem Query UpdateItem; vault PutItem;
          operations BatchGetItem PutItem; photos BatchGetItem; kms GenerateDataKey:card GenerateMac; issuers
"""

from billfold import card_photos, cards, people, vault
from billfold.banks import issuers
from billfold.card_photos import card_photo_rows, confirmations
from billfold.cards import card_bindings, card_holder_rows, card_rows, card_wire
from billfold.cards.card_errors import CardTaken
from billfold.errors import IdempotencyKeyReused
from billfold.people import people_rows
from billfold.tables import limit_rows, operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import NOTHING, fetch
from billfold.triggers import dpop, http, wire
from billfold.vault import vault_rows

Asked = http.Request[card_wire.BindCard]


@http.step(body=card_wire.BindCard, answers=card_wire.CardAnswer, key=True, dpop=True)
def handler(request: Asked) -> http.Answer:
    body, caller, now, used = request.body, request.caller, request.now, dpop.proof(request)
    operation, card_id = request.operation("opr"), request.operation("crd")
    submitted = card_bindings.check(body.number, body.expiry.year, body.expiry.month, now, issuers.bank_of)
    fingerprints = vault.fingerprints(submitted.number)
    user, device, done, bound_before, used_before, photo, holders, tries = fetch(
        people_rows.user(caller),
        people_rows.device(caller, used.device),
        operation_rows.operation(operation),
        card_rows.head(card_id),
        operation_rows.dpop_used(*used),
        card_photo_rows.photo(body.photo) if body.photo else NOTHING,
        card_holder_rows.holders(fingerprints),
        limit_rows.of_binding(caller, used.device, fingerprints, request.address),
    )
    if done and done.status >= 400:
        return request.repeat(done, [f"/{fingerprint}" for fingerprint in fingerprints])
    if done or bound_before:
        return _repeat(request, fingerprints, done)
    dpop.check_unused(used_before)

    people.check_registered(user, device)
    photo = card_photos.check_own(photo, caller).at(now) if body.photo else None
    if caller in holders.cards:
        return _again(request, operation, holders.cards[caller], used)
    cards.check_allowed(tries.wait_seconds(now))
    if len(holders.cards) >= cards.MAX_HOLDERS:
        with Commit(operation) as commit:
            operation_rows.use_dpop(commit, *used, now)
            # The refusal tells something of a number, so it counts as a try, and a repeat is the same try.
            limit_rows.count_try(commit, tries, now)
            operation_rows.refuse(commit, operation, f"{request.fingerprint}/{fingerprints[0]}", CardTaken(), now)
        raise CardTaken()
    made = {"at": now, "owner": caller, "device": used.device, "fingerprint": fingerprints[0], **request.origin()}
    bound = card_wire.bound(body, submitted, typed=confirmations.typed(body, photo, fingerprints), **made)
    sealed = vault.seal_parts(card_id, vault_rows.parts(submitted.number, body.holder, body.person))

    with Commit(operation) as commit:
        operation_rows.use_dpop(commit, *used, now)
        card = card_rows.add_bound(commit, card_id, bound)
        vault_rows.add_parts(commit, card_id, sealed)
        card_holder_rows.add_holder(commit, holders, caller, card_id)
        limit_rows.count_try(commit, tries, now)

    return http.Answer(201, card_wire.card(card))


def _repeat(request: Asked, fingerprints: list[str], done: operation_rows.OperationRow | None) -> http.Answer:
    """The first answer again, which was the card then. The request's fingerprint leaves the number out; this compares it."""
    journal = card_rows.load(done.body["id"] if done else request.operation("crd"))
    if journal.present.fingerprint not in fingerprints:
        raise IdempotencyKeyReused("this Idempotency-Key was used for another card")
    if done:
        return request.repeat(done)
    request.check_same(journal.changes[0].request)
    return http.Answer(201, card_wire.card(journal.at(1)))


def _again(request: Asked, operation: str, card_id: str, used: dpop.Proof) -> http.Answer:
    """The card that the caller holds already (CB-16): a later expiry updates it."""
    card = card_rows.load(card_id).present
    renewed = card_bindings.renew(card, request.body.expiry.year, request.body.expiry.month, request.now)
    with Commit(operation) as commit:
        operation_rows.use_dpop(commit, *used, request.now)
        if renewed:
            card = card_rows.add_change(commit, card, renewed)
        else:
            card_rows.check_as_read(commit, card)
        answer = wire.to_builtins(card_wire.card(card))
        operation_rows.record(commit, operation, request.fingerprint, 200, answer, request.now)
    return http.Answer(200, answer)
