"""Random lives of a card: the rules agree with a naive card at every step, and every state is lived in (CB-09 to CB-20)."""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.rules.card_worlds import HOUR, MINUTE, SECOND, Worlds

WORDS = ("approved", "declined", "challenge", "unknown", "absent")
# Around every bound that a rule knows: a minute, five, fifteen and twenty; and beyond the card's expiry.
PAUSES = (
    0,
    1,
    SECOND,
    30 * SECOND,
    MINUTE - 1,
    MINUTE,
    5 * MINUTE - 1,
    5 * MINUTE,
    15 * MINUTE - 1,
    15 * MINUTE,
    2 * HOUR,
    50 * 24 * HOUR,
)
STATES = {
    "created",
    "authenticating",
    "unknown",
    "challenged",
    "active",
    "invalid",
    "declined",
    "expired",
    "cancelled",
    "removed",
}
REFUSALS = {
    ("try", "card_state_conflict"),
    ("try", "challenge_over"),
    ("resend", "card_state_conflict"),
    ("resend", "challenge_over"),
    ("resend", "resend_too_soon"),
    ("pay", "card_not_active"),
}
words, steps = st.sampled_from(WORDS), st.integers(0, 4)


class Lives(RuleBasedStateMachine):
    """The machine, the bank and the owner each do what they like, in any order and at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds = Worlds()

    @rule(pause=st.sampled_from(PAUSES))
    def time_passes(self, pause: int) -> None:
        self.worlds.now += pause

    @precondition(lambda self: not self.worlds.naive.begun)
    @rule()
    def the_machine_begins(self) -> None:
        self.worlds.begin()

    @rule(word=words)
    def the_bank_is_asked(self, word: str) -> None:
        self.worlds.ask(word)

    @rule(word=words)
    def the_bank_calls_back(self, word: str) -> None:
        self.worlds.hear(word)

    @precondition(lambda self: self.worlds.naive.challenged)
    @rule()
    def a_code_is_sent(self) -> None:
        self.worlds.send_code()

    @rule()
    def another_code_is_wanted(self) -> None:
        self.worlds.resend()

    @rule()
    def a_code_is_tried(self) -> None:
        self.worlds.try_code()

    @precondition(lambda self: self.worlds.naive.tries)
    @rule(number=steps, word=st.sampled_from(("approved", "challenge", "challenge", "challenge", "declined")))
    def a_code_is_judged(self, number: int, word: str) -> None:
        self.worlds.judge_code(number, word)

    @rule()
    def the_machine_acts(self) -> None:
        self.worlds.act()

    @rule()
    def the_machine_gives_up(self) -> None:
        self.worlds.give_up()

    @rule()
    def the_deadline_comes(self) -> None:
        self.worlds.come_due()

    @rule()
    def the_owner_gives_up(self) -> None:
        self.worlds.remove()

    @rule()
    def the_approval_is_withdrawn(self) -> None:
        self.worlds.withdraw()

    @rule()
    def the_card_is_bound_again(self) -> None:
        self.worlds.bind_again()

    @rule()
    def the_card_is_to_pay(self) -> None:
        self.worlds.pay()

    @invariant()
    def both_agree_and_nothing_forbidden_is_so(self) -> None:
        self.worlds.check()


TestAnyLife = Lives.TestCase
TestAnyLife.settings = settings(
    max_examples=400, stateful_step_count=40, derandomize=True, database=None, deadline=None
)


def live(worlds: Worlds, draw: random.Random) -> None:
    """One step of a life that is likelier to go on than to end."""
    worlds.now += draw.choice(PAUSES) if draw.random() < 0.08 else draw.choice((0, 0, 0, 20 * SECOND))
    word = draw.choice((*WORDS, "challenge", "challenge"))
    owner = draw.choice((*[worlds.try_code] * 5, worlds.resend, worlds.resend, worlds.bind_again, worlds.pay))
    machine = draw.choice((worlds.send_code, worlds.act, worlds.withdraw))
    draw.choice(
        (
            worlds.begin,
            lambda: worlds.ask(word),
            lambda: worlds.hear(word) if draw.random() < 0.3 else None,
            owner,
            owner,
            machine,
            lambda: worlds.judge_code(draw.randrange(5), draw.choice(("challenge",) * 18 + ("approved", "declined"))),
            lambda: worlds.judge_code(draw.randrange(5), "challenge"),
            lambda: worlds.remove() if draw.random() < 0.05 else None,
            lambda: worlds.give_up() if draw.random() < 0.02 else None,
        )
    )()
    worlds.check()


def test_long_random_lives_reach_every_state_and_every_refusal():
    """48,000 steps: the walk above would be worth little if it never came as far as a fifth wrong code or a late approval."""
    draw, seen, refused, kinds = random.Random(7), set(), set(), set()
    for _ in range(800):
        worlds = Worlds()
        worlds.check()
        for _ in range(60):
            live(worlds, draw)
        seen |= worlds.seen
        refused |= worlds.refused
        kinds |= {type(change).__name__ for change in worlds.changes}
        kinds |= {"taken back late"} if worlds.naive.approved_late and worlds.naive.taken_back else set()
        kinds |= {"wrong five times"} if len(worlds.naive.wrong) == 5 else set()
    assert {state for state, _ in seen} == STATES
    assert refused == REFUSALS
    assert ("challenged", "ask") in seen, "a try that was not judged is asked about"
    assert kinds >= {"ApprovedLate", "Withdrawn", "Resealed", "ExpiryUpdated", "taken back late", "wrong five times"}
