"""Ask the bank about a card: the first time to authenticate it, afterwards what became of that authentication.

Trigger   task bank_authentication
Reads     card; vault
Writes    card, change                       (one transaction before the bank is first asked: with what; one after: its word)
Answers   approved, declined, challenge, unknown, expired or over, and how long to wait
Again     the bank is asked with the same key, and nothing happens twice; the bank is not asked for a verdict that is known;
          about a card that ended without one it is asked, because an approval must be withdrawn (CB-14)
May       cards PutItem Query UpdateItem; vault BatchGetItem; kms Decrypt:card; bank
Layers    stripe
"""

from billfold import banks, cards, clock, vault
from billfold.banks import Authentication, Bank, Verdict
from billfold.cards import Card, card_answers, card_rows
from billfold.cards.card_changes import Asked, CardChange
from billfold.errors import Stale
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import workflow
from billfold.vault import vault_rows


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    now, card = clock.now(), card_rows.load(event["card"]).present
    if cards.standing(card, now) != "ask" and not card_answers.is_unheard(card):
        return _next(card, now)

    bank = banks.bank(card.bank)
    if not card.fields_sent:
        card = _commit(card, Asked(at=now, fields_sent=list(bank.fields_sent)), "ask")
        said = _authenticate(bank, card)
    else:
        answer = bank.status(_key(card))
        said = answer if isinstance(answer, Verdict) else Verdict("unknown")
        said = _authenticate(bank, card) if said.outcome == "absent" and card.state in cards.OPEN else said

    now = clock.now()
    if heard := card_answers.hear(card, card_answers.answered(said, "asking", now)):
        card = _commit(card, heard, f"heard {card.asked}")
    return _next(card, now)


def _authenticate(bank: Bank, card: Card) -> Verdict:
    """Send the bank the number and the person, which the vault opens here; Stale when the card has ended and both are erased."""
    sealed = fetch(vault_rows.sealed(card.card_id))
    if not sealed:
        raise Stale()
    opened = vault.open_parts(card.card_id, sealed)
    year, month = card.asked_expiry or (card.expiry_year, card.expiry_month)
    number, holder, person = vault_rows.read_parts(opened)
    asked = Authentication(
        card_id=card.card_id,
        number=number,
        expiry_year=year,
        expiry_month=month,
        holder=holder,
        name=person["name"],
        document_type=person["document_type"],
        document_number=person["document_number"],
        phone=person["phone"],
        force_challenge=card.force_challenge,
    )
    return bank.authenticate(_key(card), asked)


def _key(card: Card) -> str:
    return f"{card.card_id}/authentication"


def _commit(card: Card, change: CardChange, name: str) -> Card:
    with Commit(f"{card.card_id}/{name}") as commit:
        card = card_rows.add_change(commit, card, change)
    return card


def _next(card: Card, now: int) -> workflow.Output:
    """What the machine does now; what is still to be asked is unknown until then."""
    standing = cards.standing(card, now)
    outcome = "unknown" if standing == "ask" else standing
    return {"card": card.card_id, "outcome": outcome, "wait_seconds": cards.wait_seconds(card, now)}
