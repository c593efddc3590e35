"""Who may call what: the kinds of callers in a town, and one call of a route with what each of them is answered.

    nobody      without a token
    stranger    another user, with a phone, a PIN and money of their own
    tablet      the owner, from another registered phone
    admin       the administrator of the merchant whose items are concerned
    rival       the administrator of another merchant
    operations  the operations group; they see nothing of anybody's either
    owner       whose bill, phone, wallet or transfer it is

An answer is a status, and after a slash the refusal's code. `tests/steps/<workflow>/calls.py` has the calls of a workflow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WHO = ("nobody", "stranger", "tablet", "admin", "rival", "operations", "owner")
NO_ONE = "401/unauthenticated"
HIDDEN = "404/not_found"
NO_ROLE = "403/forbidden"
TABLET = "403/device_mismatch"
NEW = "403/user_unknown"
SUSPENDED = "403/user_suspended"

Answers = dict[str, str]


def anyone(answer: str) -> Answers:
    """The same for all, without a token too."""
    return dict.fromkeys(WHO, answer)


def everyone(answer: str, **others: str) -> Answers:
    """The same for all who are signed in, but for those who are named."""
    return anyone(answer) | {"nobody": NO_ONE} | others


def owners(answer: str, **others: str) -> Answers:
    """It is the owner's, from any phone; to all the others it does not exist."""
    return everyone(HIDDEN, owner=answer, tablet=answer) | others


def sellers(answer: str) -> Answers:
    """It is the merchant's; to all the others it does not exist."""
    return everyone(HIDDEN, admin=answer)


@dataclass(frozen=True)
class Call:
    """One call of a route in a town.

    answers: what each caller hears. path, query: its parameters, of this town. body: what this caller sends. more: fields that
    the body may have besides. protective: whoever is suspended may still do it (docs/decisions.md, 15). own_first: its path names
    nothing, and what its body names is looked for among the caller's own, so whoever is suspended hears that first.
    """

    route: str
    answers: Answers
    path: Callable[[Any], dict[str, str]] = lambda town: {}
    body: Callable[[Any, Any], Any] = lambda town, person: None
    query: Callable[[Any], dict[str, str] | None] = lambda town: None
    more: dict[str, Any] = field(default_factory=dict)
    protective: bool = False
    own_first: bool = False

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    def arguments(self, town: Any, person: Any) -> tuple[dict[str, str], Any, dict[str, str] | None]:
        """What this person sends: parameters of the path, the body, and parameters of the query."""
        return self.path(town), self.body(town, person), self.query(town)

    @property
    def entitled(self) -> str:
        """Who may do it: the owner, or the merchant's administrator what is the merchant's."""
        return "admin" if self.answers["admin"] < "3" <= self.answers["owner"] else "owner"

    def when_suspended(self, who: str) -> str:
        """What a caller hears once suspended: what reads stays, what is not theirs still does not exist, nothing else is done."""
        answer = self.answers[who]
        writes = self.method != "GET" and not self.protective
        return SUSPENDED if writes and (answer < "3" or self.own_first) else answer
