"""Take what a bank tells of its own accord, once its signature is verified.

Trigger   POST /v1/banks/{bank}/callbacks    (anyone)
Reads     card, or charge
Writes    card, change                       (one transaction; about a charge nothing: the bank is asked)
Answers   204, also for what is none of ours; 401 the signature is wrong; 404 no such bank here, card, authentication or charge
Again     the same word changes nothing
May       cards PutItem Query UpdateItem; charges Query; queue charges; bank
Layers    stripe
"""

from dataclasses import replace
from typing import Any

from billfold import banks
from billfold.banks import Callback, issuers
from billfold.cards import card_answers, card_rows
from billfold.charges import charge_messages, charge_rows
from billfold.errors import NotFound
from billfold.tables.commits import Commit
from billfold.triggers import calls, http, queue


@http.step(open_to_all=True, raw=True, path=(calls.word("bank"),))
def handler(request: http.Request[Any]) -> http.Answer:
    if request.parameters["bank"] not in issuers.banks():
        raise NotFound()
    bank = banks.bank(request.parameters["bank"])
    told = bank.callback(request.headers, request.raw_body, request.now)

    if not told.about:
        return http.Answer(204)
    if told.kind == "payment":
        if charge_rows.load(told.about).present.bank != bank.name:
            raise NotFound()
        # It was asked for already: looked up first, and once; those that ask again and again are under way.
        queue.send("charges", [charge_messages.once(told.about)])
        return http.Answer(204)
    _hear(bank.name, told, request.now)
    return http.Answer(204)


def _hear(bank: str, told: Callback, now: int) -> None:
    """Record a verdict, when it is about an authentication that this very bank was asked for."""
    card = card_rows.load(told.about).present
    if card.bank != bank or not card.fields_sent or card.reference not in ("", told.reference) or not told.verdict:
        refusal = NotFound()
        refusal.about = told.about
        raise refusal
    said = replace(told.verdict, reference=told.reference)
    heard = card_answers.hear(card, card_answers.answered(said, "callback", now))
    if heard:
        with Commit(told.event_id) as commit:
            card_rows.put_change(commit, card, heard)
