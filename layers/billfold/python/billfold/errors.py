"""The refusals, as a tree. Each becomes one RFC 9457 problem; the wire code is the class's name in snake case.

    Refusal
    ├── Invalid        fix the request               400, 422
    ├── Refused        a rule says no                401, 403, 404, 409, 429
    └── Unavailable    nothing is wrong, try again   503, always with Retry-After

A refusal carries a text for the user, a text for the operator of the system and the next action. `facts` are members
added to the problem (what is left, what is needed). Anything else that is raised is a bug: it becomes a bare 500.
"""

import re
from typing import Any, ClassVar


class Refusal(Exception):
    """A 'no' that is part of the product."""

    status: ClassVar[int] = 500
    user: ClassVar[str] = ""
    operations: ClassVar[str] = ""
    next: ClassVar[str] = ""
    retry_after_seconds: int | None = None
    # What it was refused about, for the log alone: the answer does not name what the caller must not know of.
    about: str = ""

    def __init__(self, *, retry_after_seconds: int | None = None, **facts: Any) -> None:
        super().__init__(self.code())
        self.facts = facts
        if retry_after_seconds is not None:
            self.retry_after_seconds = retry_after_seconds

    @classmethod
    def code(cls) -> str:
        """BillClosed -> bill_closed."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 members of this refusal, without `instance`."""
        code = self.code()
        return {
            "type": f"urn:billfold:problem:{code}",
            "title": code.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.user.format_map(self.facts),
            "code": code,
            "operations": self.operations,
            "next": self.next,
            **({"retry_after_seconds": self.retry_after_seconds} if self.retry_after_seconds is not None else {}),
            **{name: fact for name, fact in self.facts.items() if name != "reason"},
        }


# --------------------------------------------------------------------------------------------------- fix the request


class Invalid(Refusal):
    """The request cannot be understood or breaks a bound. `pointer` is the JSON pointer (RFC 6901) to the fault."""

    status = 400
    user = "Something in this request is not right: {reason}."
    operations = "The client sent what the contract does not allow; see `pointer`."
    next = "correct_the_request"

    def __init__(self, reason: str, pointer: str = "", **facts: Any) -> None:
        super().__init__(reason=reason, pointer=pointer, **facts)


class RequestTooLarge(Invalid):
    status = 413


class MethodNotAllowed(Invalid):
    status = 405
    user = "This cannot be done here."
    operations = "The address exists, but not for this method; `Allow` lists those that it has."
    next = "use_an_allowed_method"


class MediaTypeUnsupported(Invalid):
    status = 415
    user = "Send JSON."
    operations = "The Content-Type is another than application/json, or names a charset other than UTF-8."
    next = "send_json"


class IdempotencyKeyMissing(Invalid):
    operations = "Every POST needs an Idempotency-Key header of 1 to 255 visible ASCII characters."


class IdempotencyKeyReused(Invalid):
    status = 422
    operations = "The same key came with another body from the same caller; the first operation stands."
    next = "use_a_new_idempotency_key"

    def __init__(self, reason: str = "this Idempotency-Key was used for another request", **facts: Any) -> None:
        super().__init__(reason, **facts)


class ProofInvalid(Invalid):
    """The DPoP header is there but holds no sound proof (RFC 9449 section 4.3)."""

    status = 403
    operations = "The DPoP header is malformed, stale, for another method or address, used before, or wrongly signed."
    next = "sign_a_new_proof"


class CardInvalid(Invalid):
    status = 422
    user = "Check the card: {reason}."
    operations = "Luhn, length, brand or expiry; no bank was asked."
    next = "correct_the_card"


# ------------------------------------------------------------------------------------------------------ a rule says no


class Refused(Refusal):
    status = 409


class Unauthenticated(Refused):
    status = 401
    user = "Please sign in."
    operations = "No verified identity reached the step."
    next = "sign_in"


class Forbidden(Refused):
    status = 403
    user = "You are not allowed to do this."
    operations = "The caller's groups do not include the one that this step asks for."
    next = "ask_for_access"


class NotFound(Refused):
    """Also the answer for what belongs to somebody else."""

    status = 404
    user = "This does not exist."
    operations = "Unknown, or another's: the two are answered alike."
    next = "check_the_address"


class ProofMissing(Refused):
    status = 403
    user = "Use a phone that you have registered."
    operations = "This call needs a DPoP header: of a bill's own device, or, to bind a card, of any registered one."
    next = "sign_a_proof"


class CallbackRefused(Refused):
    status = 401
    user = "This call could not be verified."
    operations = "A bank's callback came with a signature that is missing, wrong or older than five minutes."
    next = "sign_again"


class OperationRunning(Refused):
    user = "Still working on it."
    operations = "The first request with this Idempotency-Key has not finished."
    next = "retry_with_the_same_key"
    retry_after_seconds = 1


class CurrencyNotSupported(Refused):
    user = "This card cannot pay in {currency}."
    operations = "The card's bank takes no such currency (bank_currencies); nothing was held and no bank was asked."
    next = "use_another_instrument"


class AmountNotSupported(Refused):
    user = "This card can pay in steps of {step} only."
    operations = "The units of the card's bank cannot say this amount exactly; nothing was held and no bank was asked."
    next = "use_another_amount_or_instrument"


# ----------------------------------------------------------------------------------------------------------- try again


class Unavailable(Refusal):
    status = 503
    user = "Please try again in a moment. Nothing was charged twice."
    operations = "A dependency did not answer or refused; see the log line of this request."
    next = "retry_with_the_same_key"
    retry_after_seconds = 1


class Busy(Unavailable):
    operations = "Others kept changing the same rows; every attempt found its assumptions outdated."


def named(code: str, facts: dict[str, Any]) -> Refusal:
    """The refusal that a stored code and its facts stand for."""
    families = [Refusal]
    for family in families:
        if family.code() == code:
            return family(**facts)
        families.extend(family.__subclasses__())
    raise LookupError(f"no refusal is called {code}")


class Stale(Exception):
    """Not a refusal: what a decision assumed is no longer so, or was done already. The trigger runs the step again."""
