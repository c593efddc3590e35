"""The double-entry ledger's rules: accounts, balances, transfers and holds. Pure; `ledger_rows` commits them.

    hold:  pending ──► posted | voided | expired          (at most once, LG-05)

Account names say what they hold: `wallet/<user>/<currency>`, `sales/<merchant>/<currency>`, `funding/<currency>`,
`card/<user>/<card>/<currency>` and `chargebacks/<currency>`. Only wallets have a floor of zero (LG-06). A seller's account may
fall below zero by refunds, as with any acquirer; the funding account and cards' accounts stand for money outside Billfold, so
they are the negative of all that came in. Accounts that many pay into or out of have lanes: several balance rows whose sum is
the balance (LG-08).
The invariants are numbered in docs/ledger.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from billfold.errors import Invalid
from billfold.ledger.ledger_errors import AlreadyResolved, BalanceTooLow, HoldExpired, TransferTooLarge
from billfold.money import MAX_AMOUNT_MINOR, is_currency

# Sixteen payers at once meet on one of 64 rows about once in nine transfers, and a conflict moves to another lane.
# A BatchGetItem reads at most 100 rows, so a busy account's balance stays one call.
LANES = 64
MAX_CREDITS = 40
# What a transfer is, said by the step that makes it; its reason is text, and may be a person's.
Kind = Literal["transfer", "bill", "refund", "top_up", "pay_out", "chargeback"]


@dataclass(frozen=True, slots=True)
class Account:
    """One side of a transfer. `lanes` is how many balance rows it is spread over; `floor` whether it stops at zero."""

    name: str
    lanes: int = 1
    floor: bool = False

    @property
    def currency(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def owner(self) -> str:
        """The user or merchant whose account it is; empty for the world outside."""
        return self.name.split("/")[1] if self.name.count("/") > 1 else ""


def wallet(user: str, currency: str) -> Account:
    """A user's account in one currency."""
    return Account(f"wallet/{user}/{currency}", floor=True)


def sales(merchant: str, currency: str) -> Account:
    """A merchant's takings in one currency."""
    return Account(f"sales/{merchant}/{currency}", lanes=LANES)


def funding(currency: str) -> Account:
    """The world outside: what came in is its debt."""
    return Account(f"funding/{currency}", lanes=LANES)


def card_funding(user: str, card_id: str, currency: str) -> Account:
    """What a card's bank has paid, as its debt; held while it is asked."""
    return Account(f"card/{user}/{card_id}/{currency}")


def chargebacks(currency: str) -> Account:
    """What banks have taken back of disputed charges, as a debt of whoever is to pay for it: nobody's yet."""
    return Account(f"chargebacks/{currency}")


def account(name: str) -> Account:
    """The account a stored name stands for; ValueError for a name that no account has."""
    kind, _, rest = name.partition("/")
    owner, _, currency = rest.rpartition("/")
    if kind == "wallet":
        return wallet(owner, currency)
    if kind == "sales":
        return sales(owner, currency)
    if kind == "card" and "/" in owner:
        user, _, card_id = owner.partition("/")
        return card_funding(user, card_id, currency)
    if kind == "funding" and not owner:
        return funding(currency)
    if kind == "chargebacks" and not owner:
        return chargebacks(currency)
    raise ValueError(f"no such account: {name}")


@dataclass(frozen=True, slots=True)
class Leg:
    """What one transfer does to one account: negative is a debit, positive a credit, in minor units."""

    account: Account
    amount: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money moved, immutable (LG-03). `kind` is what it is, `reason` a text for people, `about` names the resource, `reverses`
    the transfer it undoes."""

    transfer_id: str
    legs: tuple[Leg, ...]
    at: int
    kind: Kind
    reason: str
    about: str = ""
    reverses: str = ""

    @property
    def currency(self) -> str:
        return self.legs[0].account.currency

    @property
    def total(self) -> int:
        """What was moved: the sum of the credits."""
        return sum(leg.amount for leg in self.legs if leg.amount > 0)


def transfer(
    transfer_id: str, legs: Iterable[Leg], *, at: int, kind: Kind, reason: str, about: str = "", reverses: str = ""
) -> Transfer:
    """Two to 41 legs of one currency that sum to zero (LG-01).

    Raises Invalid for an amount that is no integer or zero, a repeated account or a second currency, and
    TransferTooLarge above 10^12 in all (LG-02).
    """
    legs = tuple(legs)
    if not 2 <= len(legs) <= MAX_CREDITS + 1:
        raise Invalid(f"a transfer has 1 to {MAX_CREDITS} credits")
    if not all(type(leg.amount) is int and leg.amount != 0 for leg in legs) or sum(leg.amount for leg in legs) != 0:
        raise Invalid("an amount is a positive integer", "/amount")
    if len({leg.account.name for leg in legs}) != len(legs):
        raise Invalid("an account can appear only once in a transfer", "/to")
    if {leg.account.currency for leg in legs} != {legs[0].account.currency} or not is_currency(
        legs[0].account.currency
    ):
        raise Invalid("a transfer has one currency, listed in ISO 4217", "/amount/currency")
    if sum(leg.amount for leg in legs if leg.amount > 0) > MAX_AMOUNT_MINOR:
        raise TransferTooLarge(limit_minor=MAX_AMOUNT_MINOR)
    return Transfer(transfer_id, legs, at, kind, reason, about, reverses)


def pay(payer: Account, payees: Iterable[tuple[Account, int]]) -> tuple[Leg, ...]:
    """The legs of one debit and the credits that it covers."""
    credits = tuple(Leg(payee, amount) for payee, amount in payees)
    return (Leg(payer, -sum(leg.amount for leg in credits)), *credits)


def reverse(transfer_id: str, original: Transfer, *, at: int, reason: str) -> Transfer:
    """The transfer that undoes a whole earlier one and names it (LG-03)."""
    legs = tuple(Leg(leg.account, -leg.amount) for leg in original.legs)
    return Transfer(transfer_id, legs, at, "refund", reason, original.about, original.transfer_id)


def kind_before_kinds(line: Leg, about: str) -> Kind:
    """What a transfer was, by one of its lines, from before kinds were stored: people's own transfers were about nothing."""
    if about.startswith("bil_"):
        return "bill" if line.account.name.startswith("sales/") is (line.amount > 0) else "refund"
    return "top_up" if about else "transfer"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account's statement. `position` orders it within the account."""

    position: str
    transfer_id: str
    at: int
    amount: int
    kind: Kind
    reason: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """available + held = posted. Holds move money from available to held; only transfers change posted."""

    available: int = 0
    held: int = 0

    @property
    def posted(self) -> int:
        return self.available + self.held

    def __add__(self, other: "Balance") -> "Balance":
        return Balance(self.available + other.available, self.held + other.held)


def after(balance: Balance, leg: Leg) -> Balance:
    """The balance once the leg is posted; BalanceTooLow when it would take an account with a floor below zero (LG-06)."""
    available = balance.available + leg.amount
    if leg.amount < 0 and leg.account.floor and available < 0:
        raise BalanceTooLow(available_minor=balance.available)
    return Balance(available, balance.held)


@dataclass(frozen=True, slots=True)
class Hold:
    """Money reserved on one account until posted, voided or expired. `posted` is how much of it became a transfer.

    Without a deadline (`expires_at` is None) it ends with what it is about, and with nothing else.
    """

    hold_id: str
    account: Account
    amount: int
    expires_at: int | None
    about: str = ""
    state: str = "pending"
    posted: int = 0


def hold(hold_id: str, held: Account, amount: int, *, expires_at: int | None, now: int, about: str = "") -> Hold:
    """A reservation; Invalid unless the amount is within bounds and a deadline lies ahead."""
    if type(amount) is not int or not 0 < amount <= MAX_AMOUNT_MINOR:
        raise Invalid("an amount is an integer from 1 to 10^12", "/amount")
    if not is_currency(held.currency):
        raise Invalid("unknown currency", "/amount/currency")
    if held.lanes > 1:
        raise Invalid("money is held on wallets and cards only: a lane may lack what the account has", "/account")
    if expires_at is not None and expires_at <= now:
        raise Invalid("a hold's deadline lies in the future", "/expires_at")
    return Hold(hold_id, held, amount, expires_at, about)


def after_hold(balance: Balance, held: Hold) -> Balance:
    """The balance once the hold is placed; BalanceTooLow when less is available."""
    if held.account.floor and balance.available < held.amount:
        raise BalanceTooLow(available_minor=balance.available)
    return Balance(balance.available - held.amount, balance.held + held.amount)


def post_hold(held: Hold, amount: int, now: int) -> Hold:
    """The hold with `amount` of it posted and the rest released; refuses what is resolved, expired or above the hold (LG-05)."""
    if held.state != "pending":
        raise AlreadyResolved(state=held.state)
    if held.expires_at is not None and now >= held.expires_at:
        raise HoldExpired()
    if type(amount) is not int or not 0 < amount <= held.amount:
        raise Invalid("at most the held amount can be posted", "/amount")
    return replace(held, state="posted", posted=amount)


def void_hold(held: Hold) -> Hold:
    """The hold with all of its money released."""
    if held.state != "pending":
        raise AlreadyResolved(state=held.state)
    return replace(held, state="voided")


def expire_hold(held: Hold, now: int) -> Hold | None:
    """The hold expired when its deadline has passed and it is still pending; otherwise None: there is nothing to do."""
    if held.state != "pending" or held.expires_at is None or now < held.expires_at:
        return None
    return replace(held, state="expired")


def after_resolved(balance: Balance, held: Hold) -> Balance:
    """The payer's balance once a pending hold has become `held`: what was not posted is available again."""
    return Balance(balance.available + held.amount - held.posted, balance.held - held.amount)
