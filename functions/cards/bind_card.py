"""Bind a payment card to its owner; its bank is asked afterwards.

Trigger   POST /v1/cards                     (user's device)
Reads     user, device, DPoP proof, photo, holders of the card, limits, operation
Writes    card, change, vault, holders, limits, DPoP proof   (one transaction); of a card that is held already its expiry,
          operation, DPoP proof; of one that three others hold limits, operation, DPoP proof
Answers   201 the card, created; 200 the card that the caller holds already; 404 another's photo; 409 held by three; 422 no
          card, or no bank serves it; 429 too many tried
Again     the same Idempotency-Key gets the first answer; the same card is bound once
May       people BatchGetItem; cards BatchGetItem ConditionCheckItem PutItem Query UpdateItem; vault PutItem;
          operations BatchGetItem PutItem; photos BatchGetItem; kms GenerateDataKey:card GenerateMac; issuers
"""

import msgspec

from billfold import card_numbers, card_photos, cards, people, vault
from billfold.banks import issuers
from billfold.card_photos import card_photo_rows, confirmations
from billfold.cards import card_rows, card_wire
from billfold.cards.card_errors import CardTaken, UnsupportedIssuer
from billfold.errors import IdempotencyKeyReused, ProofInvalid, Stale
from billfold.people import people_rows
from billfold.tables import limit_rows, operation_rows
from billfold.tables.commits import Commit
from billfold.tables.operation_rows import OperationRow
from billfold.tables.rows import Key, read
from billfold.triggers import dpop, http, wire
from billfold.vault import vault_rows

Asked = http.Request[card_wire.BindCard]


@http.step(body=card_wire.BindCard, answers=card_wire.CardAnswer, key=True, dpop=True)
def handler(request: Asked) -> http.Answer:
    body, caller, now, (device_id, jti) = request.body, request.caller, request.now, dpop.proof(request)
    number, operation = body.number.replace(" ", "").replace("-", ""), request.operation("opr")
    brand, bank = card_numbers.check_number(number), issuers.bank_of(number)
    card_numbers.check_expiry(body.expiry.year, body.expiry.month, now)
    if bank is None:
        raise UnsupportedIssuer("no bank of ours has issued it", "/number")
    fingerprints, card_id = vault.fingerprints(number), request.operation("crd")
    used = operation_rows.dpop_key(device_id, jti)
    whos = limit_rows.of_binding(caller, device_id, fingerprints, request.address)
    cooling = [limit_rows.cooling_key(caller, fingerprint) for fingerprint in fingerprints]
    keys = [people_rows.user_key(caller), people_rows.device_key(caller, device_id), card_rows.head_key(card_id)]
    keys += [operation_rows.operation_key(operation), *map(card_rows.holders_key, fingerprints)]
    rows = read([*keys, used, *cooling, *card_photo_rows.keys(body.photo), *limit_rows.all_keys(whos)])
    if done := operation_rows.operation(rows, operation):
        if done.status >= 400:
            return request.repeat(done, [f"/{fingerprint}" for fingerprint in fingerprints])
        return _repeat(request, done.body["id"], fingerprints, done)
    if card_rows.head(rows, card_id):
        return _repeat(request, card_id, fingerprints)
    if used in rows:
        raise ProofInvalid("the proof has been used before", "/jti")

    people.check_registered(people_rows.user(rows, caller), people_rows.device(rows, caller, device_id))
    photo = card_photos.check_own(card_photo_rows.photo(rows, body.photo), caller).at(now) if body.photo else None
    held = card_rows.holders(rows, fingerprints)
    if caller in held:
        return _again(request, operation, held[caller], used)
    cards.check_allowed(limit_rows.wait_seconds(rows, whos, cooling, now))
    if len(held) >= cards.MAX_HOLDERS:
        with Commit(operation) as commit:
            operation_rows.use_dpop(commit, used, now)
            # The refusal tells something of a number, so it counts as a try, and a repeat is the same try.
            limit_rows.count_try(commit, rows, whos, now)
            operation_rows.refuse(commit, operation, f"{request.fingerprint}/{fingerprints[0]}", CardTaken(), now)
        raise CardTaken()
    known = {"device": device_id, "brand": brand, "last4": number[-4:], "bank": bank, "fingerprint": fingerprints[0]}
    typed = confirmations.typed(body, photo, fingerprints)
    bound = card_wire.bound(body, at=now, owner=caller, typed=typed, **known, **request.marks())
    person = msgspec.json.encode([body.holder, body.person])
    sealed = vault.seal_parts(card_id, {vault_rows.NUMBER: number.encode(), vault_rows.PERSON: person})

    with Commit(operation) as commit:
        operation_rows.use_dpop(commit, used, now)
        card = card_rows.put_bound(commit, card_id, bound)
        vault_rows.put(commit, card_id, sealed)
        card_rows.add_holder(commit, rows, fingerprints, caller, card_id)
        limit_rows.count_try(commit, rows, whos, now)

    return http.Answer(201, card_wire.card(card))


def _repeat(asked: Asked, card_id: str, fingerprints: list[str], done: OperationRow | None = None) -> http.Answer:
    """The first answer again, which was the card then. The request's fingerprint leaves the number out; this compares it."""
    journal = card_rows.load(card_id)
    if journal.present.fingerprint not in fingerprints:
        raise IdempotencyKeyReused("this Idempotency-Key was used for another card")
    if done:
        return asked.repeat(done)
    asked.check_same(journal.changes[0].request)
    return http.Answer(201, card_wire.card(journal.at(1)))


def _again(request: Asked, operation: str, card_id: str, used: Key) -> http.Answer:
    """The card that the caller holds already (CB-16): a later expiry updates it."""
    card = card_rows.load(card_id).present
    if card.state not in cards.OPEN and card.state != "active":
        raise Stale()
    renewed = cards.renew(card, request.body.expiry.year, request.body.expiry.month, request.now)
    with Commit(operation) as commit:
        operation_rows.use_dpop(commit, used, request.now)
        if renewed:
            card = card_rows.put_change(commit, card, renewed)
        else:
            card_rows.check_as_read(commit, card)
        answer = wire.to_builtins(card_wire.card(card))
        operation_rows.record(commit, operation, request.fingerprint, 200, answer, request.now)
    return http.Answer(200, answer)
