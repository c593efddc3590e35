"""The sandbox bank: a foreign service that Billfold calls in sandbox stages, and never in production.

It knows nothing of Billfold's rules. What it does with a card depends on the card's number alone (`behaviours`), so that
every way in which a bank can answer, fail, be late or stay silent can be had on purpose.

    calls            its HTTP routes: who asks, what is asked, and how (or whether) the answer arrives
    authentications  whether a card is a person's, with or without a code
    payments         charges, refunds and their list
    callbacks        what it tells of its own accord, signed
    rows             what it remembers; no card number, person or code is among it
"""
