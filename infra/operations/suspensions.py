"""Suspending users and merchants, and taking it back: each holds from the next request on (docs/operations.md).

It stands on `billfold.tables`, which find their stage by the environment: `clouds.stand_in` says it to this process.
"""

from billfold import clock, ids
from billfold.merchants import merchant_rows
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers.again import until_fresh
from infra.failures import Failure


class NobodyThere(Failure):
    """No such user or merchant."""


def decide(verb: str, whom: str, prefix: str = "") -> bool:
    """`suspend` or `resume` a user (`usr_…`) or a merchant (`mer_…`); False when it was so already. NobodyThere."""
    if not whom.startswith(prefix):
        raise NobodyThere(f"{whom} is no {prefix}_…")
    return until_fresh(lambda: _set(whom, suspended=verb == "suspend"))


def _set(whom: str, *, suspended: bool) -> bool:
    user, merchant = fetch(people_rows.user(whom), merchant_rows.merchant(whom))
    now = clock.now()
    commit = Commit(ids.new("opr", now))
    if user and user.suspended is not suspended:
        people_rows.add_suspension(commit, user, now, suspended=suspended)
    elif merchant and merchant.suspended is not suspended:
        merchant_rows.add_suspension(commit, merchant, now, suspended=suspended)
    elif user or merchant:
        return False
    else:
        raise NobodyThere(f"There is no user or merchant {whom}.")
    commit.send()
    return True
