"""Races on a real engine: real steps, many threads, one winner each; the books balance after every one of them.

docs/ledger.md numbers the invariants. A busy step may answer 503; its caller then repeats it under the same key, as the
contract says, so these are also tests of repeats.
"""

import uuid

import pytest

from billfold import ledger
from billfold.errors import Stale
from billfold.ledger import Hold, ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from infra.clients.phones import Phone
from tests import world
from tests.proof.racing import books_balance, codes, race, stubborn
from tests.world import PIN, Person, Response, fund, joined, wallet


def send(payer: Person, payee: str, amount: int, *, key: str, pin: str = PIN) -> Response:
    body = {"to": payee, "amount": {"amount": amount, "currency": "USD"}, "reason": "race", "pin": pin}
    return world.call("POST", "/v1/transfers", payer, body, key=key)


# -------------------------------------------------------------------------------------------------------------- wallets


def test_sixty_four_payers_drain_one_wallet_to_the_last_whole_amount(store):
    """LG-06: exactly floor(balance / amount) succeed, the others hear that there is not enough, and nothing is lost."""
    alice, bob = joined(), joined()
    fund(alice, 1_000)
    answers = race([stubborn(send, alice, bob.user_id, 30) for _ in range(64)])
    assert codes(answers) == {"201": 33, "balance_too_low": 31}
    assert (wallet(alice), wallet(bob)) == (10, 990)
    books_balance(store)


def test_money_sent_in_a_ring_by_everybody_at_once_stays_the_same(store):
    """LG-01: wallets that are debited and credited at the same moment neither make nor lose money, and none deadlocks."""
    ring = [joined() for _ in range(6)]
    for person in ring:
        fund(person, 50)
    jobs = [stubborn(send, ring[n % 6], ring[(n + 1) % 6].user_id, 20) for n in range(48)]
    answers = race(jobs)
    seen, sent = codes(answers), [codes(answers[place::6])["201"] for place in range(6)]
    assert seen == {"201": sum(sent), "balance_too_low": 48 - sum(sent)}
    # With 50 each, the first two payments of everybody find enough whatever comes in.
    assert min(sent) >= 2
    assert [wallet(person) for person in ring] == [50 - 20 * sent[n] + 20 * sent[n - 1] for n in range(6)]
    books_balance(store)


def test_one_transfer_sent_fifty_times_under_one_key_is_one_transfer(store):
    """LG-04, LG-10: all fifty hear of the same transfer."""
    alice, bob = joined(), joined()
    fund(alice, 100)
    key = str(uuid.uuid4())
    answers = race([stubborn(send, alice, bob.user_id, 60, key=key) for _ in range(50)])
    assert codes(answers) == {"201": 50}
    assert len({str(answer.body) for answer in answers}) == 1
    assert (wallet(alice), wallet(bob)) == (40, 60)
    books_balance(store)


def test_one_key_with_two_bodies_moves_one_of_them(store):
    """LG-10: whichever came first; the other bodies are refused with 422 and move nothing."""
    alice, bob = joined(), joined()
    fund(alice, 100)
    key = str(uuid.uuid4())
    answers = race([stubborn(send, alice, bob.user_id, 10 + n % 2, key=key) for n in range(20)])
    assert codes(answers) == {"201": 10, "idempotency_key_reused": 10}
    (amount,) = {answer.body["amount"]["amount"] for answer in answers if answer.status == 201}
    assert (wallet(alice), wallet(bob)) == (100 - amount, amount)
    books_balance(store)


# -------------------------------------------------------------------------------------------------------------- devices


def test_thirty_phones_registered_at_once_are_twenty(store):
    """VB-02: the limit is in the write itself, and a phone that is removed makes room for exactly one."""
    alice = Person()

    def register(jwk: dict[str, str], key: str = "") -> Response:
        return world.call("POST", "/v1/devices", alice, {"name": "phone", "jwk": jwk}, key=key)

    answers = race([stubborn(register, Phone().jwk) for _ in range(30)])
    assert codes(answers) == {"201": 20, "device_limit_reached": 10}
    gone = next(answer.body["id"] for answer in answers if answer.status == 201)
    assert world.call("DELETE", f"/v1/devices/{gone}", alice).status == 204
    assert codes(race([stubborn(register, Phone().jwk) for _ in range(5)])) == {"201": 1, "device_limit_reached": 4}


# ---------------------------------------------------------------------------------------------------------------- holds


def attempt(fill: object) -> bool:
    commit = Commit(str(uuid.uuid4()))
    fill(commit)
    try:
        commit.send()
    except Stale:
        return False
    return True


@pytest.mark.parametrize("round_number", range(5))
def test_a_hold_posted_voided_and_expired_at_once_ends_one_way(store, round_number):
    """LG-05: one of twelve resolutions wins, and the money is where the winner says."""
    alice, bob = ledger.wallet("usr_alice", "USD"), ledger.wallet("usr_bob", "USD")
    top_up = ledger.transfer(
        "trf_top_up", ledger.pay(ledger.funding("USD"), [(alice, 100)]), at=1, kind="top_up", reason="top-up"
    )
    assert attempt(lambda commit: ledger_rows.add_transfer(commit, top_up))
    hold = ledger.hold(f"hld_{uuid.uuid4().hex}", alice, 70, expires_at=5_000, now=1)
    assert attempt(lambda commit: ledger_rows.place_hold(commit, hold))

    def post(commit: Commit) -> None:
        legs = ledger.pay(alice, [(bob, 50)])
        transfer = ledger.transfer(f"trf_{uuid.uuid4().hex}", legs, at=2, kind="top_up", reason="held")
        ledger_rows.post_held(commit, [(hold, ledger.post_hold(hold, 50, 4_999))], transfer, 4_999)

    def void(commit: Commit) -> None:
        ledger_rows.resolve_hold(commit, hold, ledger.void_hold(hold), 4_999)

    def expire(commit: Commit) -> None:
        ledger_rows.resolve_hold(commit, hold, _expired(hold), 5_000)

    ways = [post, void, expire] * 4
    won = race([lambda way=way: attempt(way) for way in ways])
    assert won.count(True) == 1
    ending = ways[won.index(True)]
    paid = 50 if ending is post else 0
    states = {post: "posted", void: "voided", expire: "expired"}
    assert fetch(ledger_rows.hold(hold.hold_id)).state == states[ending]
    assert fetch(ledger_rows.balance(alice)) == ledger.Balance(100 - paid)
    assert fetch(ledger_rows.balance(bob)) == ledger.Balance(paid)
    books_balance(store)


def _expired(hold: Hold) -> Hold:
    expired = ledger.expire_hold(hold, 5_000)
    assert expired is not None
    return expired
