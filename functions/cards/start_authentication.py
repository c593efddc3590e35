"""Start the state machine that authenticates a card; one execution a card, named by its id.

Trigger   queue authentications
Reads     nothing
Writes    nothing
Answers   started | started before
Again     the machine has started this execution already
May       machine bank_authentication StartExecution
"""

from billfold.triggers import machines, queue


@queue.step
def handler(card_id: str) -> str:
    started = machines.start("bank_authentication", card_id, {"card": card_id})

    return "started" if started else "started before"
