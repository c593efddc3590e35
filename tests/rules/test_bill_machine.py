"""Random lives of a bill: the rules agree with a naive bill at every step, and every state is lived in (VB-01 to VB-20)."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.bill_worlds import MINUTE, Worlds

STATES = {
    "active",
    "expired_empty",
    "verifying",
    "failed",
    "settled",
    "partially_refunded",
    "refunded",
    "unpaid",
    "cancelled",
}
AMOUNTS = [1, 10, 99, 100, 400, 10**12]
KINDS = ["tap", "tap", "tap", "void", "dispute", "close", "deadline", "verify", "fail", "refund"]
step = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, 40),
    st.sampled_from(AMOUNTS),
    st.sampled_from([-3, 0, 0, 0, 1, 9, 63]),
    st.sampled_from([0, 0, 0, 1, 5, 15, 60]),
)


def take(worlds: Worlds, kind: str, number: int, amount: int, signed: int, passed: int) -> None:
    """One step of a life, `passed` minutes after the last; an item is signed `signed` minutes before it arrives."""
    worlds.now += passed * MINUTE
    merchant = f"mer_{number % 3}"
    match kind:
        case "tap":
            worlds.tap(number, amount, signed * MINUTE)
        case "void":
            worlds.void(number, merchant)
        case "dispute":
            worlds.dispute(number)
        case "close":
            worlds.close()
        case "deadline":
            worlds.deadline()
        case "verify" | "fail":
            worlds.verify(number, solvent=kind == "verify")
        case "refund":
            target = worlds.naive.items[number % len(worlds.naive.items)] if worlds.naive.items else None
            worlds.refund(number, target.merchant if target and number % 5 else merchant)
    worlds.check()


@settings(max_examples=800, derandomize=True, database=None, deadline=None)
@given(st.sampled_from([None, 300, 1_000]), st.lists(step, min_size=1, max_size=40))
def test_any_sequence_of_steps_leads_where_the_words_say(cap, steps):
    """Every rule in every state: allowed steps change exactly what they should, others are refused and change nothing."""
    worlds = Worlds(cap)
    worlds.check()
    for drawn in steps:
        take(worlds, *drawn)


def test_long_random_lives_reach_every_state_and_every_refusal():
    """20,000 steps: the walk above would be worth little if it never left `active`."""
    draw, states, refused = random.Random(19), set(), set()
    for _ in range(800):
        worlds = Worlds(draw.choice([None, None, 300]))
        worlds.check()
        for _ in range(25):
            take(
                worlds,
                draw.choice(KINDS),
                draw.randrange(40),
                draw.choice(AMOUNTS[:5] if draw.random() < 0.95 else AMOUNTS),
                draw.choice([-3, 0, 0, 0, 1, 9, 63]),
                draw.choice([0, 0, 0, 0, 1, 5, 15, 60]),
            )
        states |= worlds.states
        refused |= worlds.refused
    assert states == STATES
    assert refused >= {
        *[("tap", code) for code in ("bill_closed", "invalid", "counter_reused", "cap_exceeded", "transfer_too_large")],
        *[("void", code) for code in ("not_found", "item_state_conflict", "bill_state_conflict")],
        *[("dispute", code) for code in ("not_found", "item_state_conflict", "bill_state_conflict")],
        *[("verify", code) for code in ("bill_state_conflict", "verification_expired", "list_changed")],
        *[("refund", code) for code in ("not_found", "item_state_conflict", "invalid")],
        ("close", "bill_state_conflict"),
    }
