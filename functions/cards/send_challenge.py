"""Wait for the owner's code, or word on the bank's page: keep the state machine's token, then have the bank send the code.

Trigger   task bank_authentication
Reads     card
Writes    card, change                       (one transaction, before the bank is asked: the token, and that a code is sent)
Answers   waiting; or it resumes at once, because the word came first
Again     the bank is asked again with the same key, and sends one code
May       cards PutItem Query UpdateItem; machine bank_authentication SendTaskSuccess; bank
Layers    stripe
"""

from billfold import banks, cards, clock
from billfold.cards import card_rows
from billfold.cards.card_changes import ChallengeSent
from billfold.errors import Unavailable
from billfold.tables.commits import Commit
from billfold.triggers import machines, workflow


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    now, token = clock.now(), event["token"]
    card = card_rows.load(event["card"]).present

    if cards.standing(card, now) != "challenge":
        machines.resume(token, {"card": card.card_id})
        return {"card": card.card_id, "outcome": "resumed"}

    with Commit(token) as commit:
        if card.challenge.sent:
            card_rows.add_task_token(commit, card, token)
        else:
            card = card_rows.add_challenge(commit, card, ChallengeSent(at=now, way=card.challenge.way), token)

    key = f"{card.card_id}/challenge/{card.challenge.sent}"
    if banks.bank(card.bank).send_challenge(key, card.reference).outcome == "unknown":
        raise Unavailable()
    return {"card": card.card_id, "outcome": "waiting"}
