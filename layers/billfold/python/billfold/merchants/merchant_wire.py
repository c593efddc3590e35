"""Merchants and terminals as they go over the wire."""

from billfold.clock import to_text
from billfold.merchants import Terminal
from billfold.triggers.wire import View


class TerminalAnswer(View, frozen=True):
    id: str
    merchant: str
    name: str
    public_key: str
    revoked_at: str | None = None


def terminal(one: Terminal) -> TerminalAnswer:
    """A terminal as its merchant's administrator sees it."""
    revoked_at = None if one.revoked_at is None else to_text(one.revoked_at)
    return TerminalAnswer(one.terminal_id, one.merchant, one.name, one.public_key, revoked_at)
