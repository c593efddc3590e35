"""What a bank asks of a card's owner before it approves: a code that it sends (CB-09), or a confirmation on its own page."""

from dataclasses import dataclass

from billfold.clock import MINUTE, SECOND

CODE_VALID = 5 * MINUTE
CODE_TRIES = 5
RESEND_AFTER = 60 * SECOND
MAX_RESENDS = 3
# A page of the bank's takes longer than a code: the bank's own app, a password, a way back. Then the bank is asked a last time,
# and has so long to answer.
PAGE_VALID = 10 * MINUTE
LAST_ASK = 2 * MINUTE
# Why a card ended, where nobody but its owner could have gone on.
CODE_OVER, PAGE_OVER = "code_over", "page_over"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the bank asks of the owner, by a code that it sends or on its own page (`way` is redirect): how often it was sent, when
    last, how many tries were made and judged wrong. Nothing is tried or sent again on a page."""

    way: str = "code"
    sent: int = 0
    sent_at: int = 0
    tries: int = 0
    refused: int = 0

    @property
    def expires_at(self) -> int:
        return self.sent_at + (PAGE_VALID if self.way == "redirect" else CODE_VALID)

    @property
    def tries_left(self) -> int:
        return CODE_TRIES - self.tries

    @property
    def resends_left(self) -> int:
        return 1 + MAX_RESENDS - self.sent

    def on_page(self, now: int) -> str:
        """What the state machine should do while the owner is to confirm on the bank's page: its time over, ask a last time."""
        over = now - self.expires_at if self.sent else -1
        return "challenge" if over < 0 else "ask" if over < LAST_ASK else "expired"
