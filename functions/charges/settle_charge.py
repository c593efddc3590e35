"""Ask a card's bank for a charge or a refund, and settle it by the answer; without one, ask again later.

A message names a charge, and may have a word (charge_messages).

- Without a word, the message comes again until the bank has answered.
- With `once`, the bank is asked a single time about a charge that is settling. About a settled charge, the bank is asked whether
  a refund failed or the customer disputed the charge (charge_reviews), until the books agree with the bank.
- Any other word is an outcome that operations learned from the bank. It counts only when this step no longer asks the bank.

Trigger   queue charges
Reads     charge; of a bill's charge, bill
Writes    charge, change, hold, balances, transfer, card, bill   (one transaction, after the bank has answered)
Answers   settled | declined | failed | disputed | unknown, asked again later | unknown, left to the daily comparison |
          settled, looked at again | disputed, looked at again | settled before | told too early
Again     the bank is asked with the charge's id for a key, and does it once; it is settled once
May       charges PutItem Query UpdateItem; bills PutItem Query UpdateItem; cards UpdateItem; ledger PutItem UpdateItem;
          postpone charges; bank
Layers    stripe
"""

from billfold import banks, charges, clock
from billfold.banks import Payment
from billfold.bills import bill_payments, bill_rows
from billfold.charges import Charge, charge_asks, charge_messages, charge_reviews, charge_rows
from billfold.tables.commits import Commit
from billfold.triggers import log, queue


@queue.patient_step("charges")
def handler(message: str, before: int) -> str | queue.Later:
    charge_id, word, reference = charge_messages.parse(message)
    found_out = word in charges.OUTCOMES
    charge = charge_rows.load(charge_id).present
    if charge.state in ("settled", "disputed") and word == charge_messages.ONCE:
        return _review(charge)
    if charge.state != "settling":
        return "settled before"
    if found_out and charges.may_ask(charge, clock.now()):
        return "told too early"

    if found_out:
        change = charges.resolve(charge, word, reference, "", clock.now())
    else:
        said = charge_asks.ask(banks.bank(charge.bank), charge, clock.now(), asked=bool(before or word))
        change = charges.resolve(charge, said.outcome, said.reference, said.reason, clock.now())
    if change is None:
        return _ask_later(word, before)

    with Commit(charge_id) as commit:
        if charge.purpose == "bill":
            bill = bill_rows.load(charge.about).present
            movement = bill_payments.after_charge(charge, bill, change)
            bill_rows.add_change(commit, bill, movement.change)
            transfer = movement.transfer
        else:
            transfer = charge_reviews.settled(charge, change)
        charge = charge_rows.resolve(commit, charge, change, transfer, change.at)

    return charge.state


def _ask_later(word: str, before: int) -> str | queue.Later:
    delay = None if word else charges.delay_seconds(before)
    if delay is None:
        return "unknown, left to the daily comparison"
    return queue.Later(delay, "unknown, asked again later")


def _review(charge: Charge) -> str | queue.Later:
    """What the bank says of it now; each commit books one thing, and operations hear of it."""
    bank, now, found = banks.bank(charge.bank), clock.now(), None
    if charge.purpose == "refund":
        said = bank.status(charge.charge_id, charge.of)
        if isinstance(said, Payment) and said.outcome == "declined":
            found = charge_reviews.refund_failed(charge, said.reason, now)
    else:
        taken = bank.taken_back(charge.reference)
        known = charge_reviews.countable(charge, taken)
        if len(known) < len(taken):
            log.line("differs", "settle_charge", 0, {"charge": charge.charge_id, "kind": "dispute"}, failed=True)
            return "a dispute that cannot be counted"
        found = charge_reviews.disputed(charge, known, now)
    if found is None:
        return "settled before"

    with Commit(f"{charge.charge_id}/{charge.revision}") as commit:
        charge = charge_rows.review(commit, charge, *found)

    kind = type(found[0]).__name__
    log.line("differs", "settle_charge", 0, {"charge": charge.charge_id, "kind": kind}, failed=True)
    again = queue.Later(charges.FIRST_DELAY_SECONDS, f"{charge.state}, looked at again")
    return charge.state if charge.purpose == "refund" else again
