"""Put the code that the bank sent to the bank.

Trigger   POST /v1/cards/{card}/challenge    (user)
Reads     card; user
Writes    card, change                       (one transaction before the bank is asked: the try; one after: its word)
Answers   200 the card, which is linked a moment later; 403 wrong code; 404 another's card; 409 no code is awaited, no try left
Again     the same Idempotency-Key is the same try: the bank is asked again with the same key, and nothing counts twice
May       cards PutItem Query UpdateItem; people BatchGetItem; bank
Layers    stripe
"""

from dataclasses import replace

from billfold import banks, cards, people
from billfold.banks import Verdict
from billfold.cards import Card, card_answers, card_codes, card_rows, card_wire
from billfold.cards.card_challenges import CODE_TRIES
from billfold.cards.card_changes import Answered, CardChange, CodeRefused
from billfold.cards.card_errors import ChallengeOver, CodeWrong
from billfold.errors import Unavailable
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class AnswerChallenge(wire.Body, frozen=True):
    code: card_wire.Code


@http.step(body=AnswerChallenge, answers=card_wire.CardAnswer, key=True)
def handler(request: http.Request[AnswerChallenge]) -> http.Answer:
    journal, operation, now = card_rows.load(request.parameters["card"]), request.operation("opr"), request.now
    card = cards.check_found(journal.present, request.caller)
    if repeat := journal.repeat(operation, request.fingerprint):
        number = repeat[0].challenge.tries
        if judged := _judged(journal, number):
            return _answer(*judged)
    else:
        people.check_active(fetch(people_rows.user(request.caller)))
        tried = replace(card_codes.try_code(card, now), **request.origin())
        with Commit(operation) as commit:
            card = card_rows.add_change(commit, card, tried)
        number = card.challenge.tries

    key = f"{card.card_id}/code/{number}"
    said = banks.bank(card.bank).answer_challenge(key, card.reference, request.body.code)
    heard = _heard(card, said, number, now, operation)
    if heard:
        with Commit(f"{operation}/heard") as commit:
            card = card_rows.add_change(commit, card, heard)

    if said.outcome == "unknown":
        raise Unavailable()
    return _answer(card, heard)


def _judged(journal: Journal[Card, CardChange], number: int) -> tuple[Card, CardChange] | None:
    """The card as the bank's word on this try left it, and that word: a refusal of the code, or a verdict. None: not known."""
    for revision, change in enumerate(journal.changes, 1):
        refused = isinstance(change, CodeRefused) and change.number == number
        if refused or (isinstance(change, Answered) and change.by == f"code {number}"):
            return journal.at(revision), change
    return None


def _heard(card: Card, said: Verdict, number: int, now: int, operation: str) -> CardChange | None:
    # A bank that declines with the last try declines for its code: the challenge is over, and the card cools down.
    if said.outcome == "challenge" or (said.outcome == "declined" and number >= CODE_TRIES):
        return CodeRefused(at=now, number=number)
    if said.outcome == "unknown":
        return None
    return card_answers.hear(card, card_answers.answered(said, f"code {number}", now))


def _answer(card: Card, heard: CardChange | None) -> http.Answer:
    if isinstance(heard, CodeRefused):
        raise CodeWrong(tries_left=max(0, CODE_TRIES - heard.number))
    if card.verdict == "declined":
        raise ChallengeOver()
    return http.Answer(200, card_wire.card(card))
