"""Wait for the bank's word: keep the state machine's token, by which its callback resumes it.

Trigger   task bank_authentication
Reads     card
Writes    card                               (one transaction: the token)
Answers   waiting; or it resumes at once, because the word came first
Again     the last token is the one that counts
May       cards Query UpdateItem; machine bank_authentication SendTaskSuccess
"""

from billfold import cards, clock
from billfold.cards import card_rows
from billfold.tables.commits import Commit
from billfold.triggers import machines, workflow


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    card, token = card_rows.load(event["card"]).present, event["token"]

    if cards.standing(card, clock.now()) != "ask":
        machines.resume(token, {"card": card.card_id})
        return {"card": card.card_id, "outcome": "resumed"}

    with Commit(token) as commit:
        card_rows.add_task_token(commit, card, token)

    return {"card": card.card_id, "outcome": "waiting"}
