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
    callback = bank.callback(request.headers, request.raw_body, request.now)

    if not callback.about:
        return http.Answer(204)
    if callback.kind == "payment":
        if charge_rows.load(callback.about).present.bank != bank.name:
            raise NotFound()
        # It was asked for already: looked up first, and once; those that ask again and again are under way.
        queue.send("charges", [charge_messages.once(callback.about)])
        return http.Answer(204)
    _hear(bank.name, callback, request.now)
    return http.Answer(204)


def _hear(bank: str, callback: Callback, now: int) -> None:
    """Record a verdict, when it is about an authentication that this very bank was asked for."""
    card = card_rows.load(callback.about).present
    asked = card.bank == bank and card.fields_sent and card.reference in ("", callback.reference)
    if not asked or not callback.verdict:
        refusal = NotFound()
        refusal.about = callback.about
        raise refusal
    said = replace(callback.verdict, reference=callback.reference)
    heard = card_answers.hear(card, card_answers.answered(said, "callback", now))
    if heard:
        with Commit(callback.event_id) as commit:
            card_rows.add_change(commit, card, heard)
