"""The port and the sandbox's adapter, against the real bank over real HTTP: each magic number, each operation asked twice."""

import json
import threading
import time

import pytest
import time_machine

from billfold import banks, clock
from billfold.banks import Payment, Verdict
from billfold.errors import CallbackRefused, Unavailable
from sandbox_bank import behaviours
from tests.cloud import bank_server
from tests.cloud.local_http import LocalServer
from tests.world.bank_fixtures import authentication, card

CODE, WRONG = "123456", "654321"


def approved(sandbox, name="approved", rest=1):
    """An approved card of this behaviour."""
    verdict = sandbox.authenticate(f"key-{name}-{rest}", authentication(card(name, rest)))
    assert verdict.outcome == "approved"
    return verdict


def challenged(sandbox, name="challenged"):
    """A card for which a code is asked."""
    verdict = sandbox.authenticate("key", authentication(card(name)))
    assert (verdict.outcome, verdict.tries_left, verdict.token) == ("challenge", 5, "")
    return verdict.reference


@pytest.mark.parametrize("number", [card("approved"), behaviours.number("34", 7), behaviours.number("51", 7)])
def test_an_ordinary_card_is_approved_at_once_and_once(sandbox, number):
    """CB-07: the same key gets the same answer, with the same token; asking what became of it tells the same."""
    first = sandbox.authenticate("key", authentication(number))
    assert first.outcome == "approved"
    assert first.reference
    assert first.token
    assert sandbox.authenticate("key", authentication(number)) == first == sandbox.status("key")


@pytest.mark.parametrize(
    ("name", "reason"), [("declined", "do_not_honour"), ("expired", "expired_card"), ("mismatched", "details_mismatch")]
)
def test_a_declined_card_says_why_to_operations(sandbox, name, reason):
    """CB-15: the reason is there, and it is not for users. A forced challenge does not help such a card."""
    for key, typed in (("key", False), ("key", False), ("other", True)):
        verdict = sandbox.authenticate(key, authentication(card(name), typed=typed))
        assert (verdict.outcome, verdict.reason, verdict.token) == ("declined", reason, "")


def test_a_code_approves_a_challenged_card(sandbox):
    """CB-09: with a token from then on; the first ask still gets its first answer, and the status is the present one."""
    reference = challenged(sandbox)
    done = sandbox.answer_challenge("answer", reference, CODE)
    assert done.outcome == "approved"
    assert done.token
    assert sandbox.answer_challenge("answer", reference, CODE) == done
    assert sandbox.authenticate("key", authentication(card("challenged"))).outcome == "challenge"
    assert sandbox.status("key").outcome == sandbox.status("answer").outcome == "approved"
    assert sandbox.charge("charge", done.token, 100, "USD", "chg_1").outcome == "charged"


def test_a_typed_phone_number_forces_a_challenge(sandbox):
    """CB-06."""
    assert sandbox.authenticate("key", authentication(card("approved"), typed=True)).outcome == "challenge"


def test_five_wrong_codes_decline_the_card(sandbox):
    """CB-09: each answer says how many tries are left; one that is repeated with its key costs none."""
    reference = challenged(sandbox)
    for number, left in enumerate((4, 3, 2, 1)):
        for _ in range(2):
            verdict = sandbox.answer_challenge(f"answer-{number}", reference, WRONG)
            assert (verdict.outcome, verdict.tries_left, verdict.reason) == ("challenge", left, "wrong_code")
    last = sandbox.answer_challenge("answer-last", reference, WRONG)
    assert (last.outcome, last.reason) == ("declined", "too_many_codes")
    assert sandbox.answer_challenge("answer-right", reference, CODE).outcome == "declined"


def test_a_code_dies_after_five_minutes_and_a_new_one_does_not_give_tries_back(sandbox):
    """CB-09: the five minutes begin when it is sent."""
    reference = challenged(sandbox)
    sandbox.answer_challenge("answer-1", reference, WRONG)
    with time_machine.travel(time.time() + 301, tick=True):
        late = sandbox.answer_challenge("answer-2", reference, CODE)
        assert (late.outcome, late.reason, late.tries_left) == ("challenge", "code_expired", 4)
        sent = sandbox.send_challenge("send", reference)
        assert (sent.outcome, sent.tries_left) == ("challenge", 4)
        assert sandbox.answer_challenge("answer-3", reference, CODE).outcome == "approved"


def test_a_code_whose_answer_is_lost_was_taken(sandbox):
    """CB-13: unknown; asking again with the same key, or for its status, tells."""
    reference = challenged(sandbox, "code_answer_lost")
    assert sandbox.answer_challenge("answer", reference, CODE) == Verdict("unknown")
    assert sandbox.status("answer").outcome == "approved"
    assert sandbox.answer_challenge("answer", reference, CODE).outcome == "approved"


def test_two_faults_then_success(sandbox):
    """CB-13: a fault is unknown, and by then nothing has happened."""
    asked = authentication(card("failing"))
    assert sandbox.authenticate("key", asked) == Verdict("unknown")
    assert sandbox.status("key") == Verdict("absent")
    assert sandbox.authenticate("key", asked) == Verdict("unknown")
    assert sandbox.authenticate("key", asked).outcome == "approved"
    assert sandbox.authenticate("another", asked).outcome == "unknown"


def test_a_silent_bank_stays_unknown(sandbox):
    """CB-13: asked however often, and never heard of as absent either."""
    for _ in range(3):
        assert sandbox.authenticate("key", authentication(card("silent"))) == Verdict("unknown")
        assert sandbox.status("key") == Verdict("unknown")


def test_a_late_success_is_unknown_until_it_comes(sandbox, bank, queues, receiver):
    """CB-13, CB-14: digits 9 to 12 say how late; a callback tells it, and so does asking, even long after Billfold's end."""
    asked = authentication(behaviours.late_number(1200, 1))
    assert sandbox.authenticate("key", asked) == Verdict("unknown") == sandbox.status("key")
    assert bank.send_callbacks(queues) == 0
    with time_machine.travel(time.time() + 901, tick=True):
        assert bank.send_callbacks(queues) == 1
        assert receiver.received == []
    with time_machine.travel(time.time() + 1201, tick=True):
        bank.send_callbacks(queues)
        verdict = heard(sandbox, receiver)[0].verdict
        assert verdict.outcome == "approved"
        assert sandbox.authenticate("key", asked) == verdict == sandbox.status("key")


def heard(sandbox, receiver):
    """The callbacks that arrived, verified and read by the adapter."""
    return [sandbox.callback(one.headers, one.body, clock.now()) for one in receiver.received]


def test_a_late_success_can_be_withdrawn(sandbox, bank, queues, receiver):
    """CB-14: once withdrawn it is no approval any more, cannot be charged, and is not told."""
    verdict = approved(sandbox)
    assert sandbox.withdraw("withdrawal", verdict.reference) == Payment("refunded", verdict.reference)
    assert sandbox.withdraw("withdrawal", verdict.reference).outcome == "refunded"
    now = sandbox.status("key-approved-1")
    assert (now.outcome, now.reason, now.token) == ("declined", "withdrawn", "")
    assert sandbox.charge("charge", verdict.token, 100, "USD", "chg_1") == Payment("declined", "", "not_approved")


def test_three_copies_of_a_callback_have_one_id(sandbox, bank, queues, receiver):
    """At least once is what banks promise; the id tells copies."""
    assert sandbox.authenticate("key", authentication(card("told_thrice"), card_id="crd_9")) == Verdict("unknown")
    bank.send_callbacks(queues)
    callbacks = heard(sandbox, receiver)
    assert len(callbacks) == 3
    assert len({callback.event_id for callback in callbacks}) == 1
    assert {(callback.kind, callback.about) for callback in callbacks} == {("authentication", "crd_9")}
    assert callbacks[0].verdict == sandbox.status("key")
    assert callbacks[0].reference == callbacks[0].verdict.reference


def test_a_forged_callback_is_refused_and_asking_tells(sandbox, bank, queues, receiver):
    """CB-13: nothing else follows it."""
    asked = authentication(card("forged"))
    assert sandbox.authenticate("key", asked) == Verdict("unknown")
    receiver.status = 401
    assert bank.send_callbacks(queues) == 1
    with pytest.raises(CallbackRefused):
        heard(sandbox, receiver)
    assert bank.send_callbacks(queues) == 0
    assert sandbox.authenticate("key", asked).outcome == sandbox.status("key").outcome == "approved"


def test_a_callback_may_come_before_the_answer(sandbox, receiver):
    """It has arrived when the ask is answered, and says the same."""
    verdict = sandbox.authenticate("key", authentication(card("told_early")))
    assert [callback.verdict for callback in heard(sandbox, receiver)] == [verdict]


def test_an_early_callback_that_is_not_taken_comes_by_the_queue(sandbox, bank, queues, receiver):
    """The answer does not depend on it."""
    receiver.status = 500
    assert sandbox.authenticate("key", authentication(card("told_early"))).outcome == "approved"
    receiver.status = 200
    assert bank.send_callbacks(queues) == 1
    assert len(receiver.received) == 2


def test_a_charge_is_made_once_and_given_back_once(sandbox):
    """CB-21: part by part, never more than was charged; each repeat gets its first answer."""
    token = approved(sandbox).token
    charged = sandbox.charge("charge", token, 1000, "USD", "chg_1")
    assert charged.outcome == "charged"
    assert sandbox.charge("charge", token, 1000, "USD", "chg_1") == charged == sandbox.status("charge")
    for _ in range(2):
        assert sandbox.refund("part", charged.reference, 300, "USD", "chg_2").outcome == "refunded"
    assert sandbox.refund("more", charged.reference, 701, "USD", "chg_2") == Payment(
        "declined", "", "more_than_was_charged"
    )
    rest = sandbox.refund("rest", charged.reference, 700, "USD", "chg_2")
    assert rest.outcome == "refunded"
    assert sandbox.status("rest") == rest
    assert sandbox.refund("again", charged.reference, 1, "USD", "chg_2").outcome == "declined"
    lines, _ = sandbox.charges(0, clock.now() + 1, "")
    assert [(line.key, line.kind, line.amount) for line in lines] == [
        ("charge", "charge", 1000),
        ("part", "refund", 300),
        ("rest", "refund", 700),
    ]


def test_a_charge_without_funds_is_declined(sandbox):
    """CB-21: and does not show in the bank's list."""
    token = approved(sandbox, "without_funds").token
    assert sandbox.charge("charge", token, 100, "USD", "chg_1") == Payment("declined", "", "insufficient_funds")
    assert sandbox.status("charge") == Payment("declined", "", "insufficient_funds")
    assert sandbox.charges(0, clock.now() + 1, "") == ([], "")


@pytest.mark.parametrize("name", ["charge_lost", "charge_told"])
def test_a_charge_whose_answer_is_lost_was_made_once(sandbox, name):
    """CB-21: unknown; the status tells, the same key does not charge again, and the list has one line."""
    token = approved(sandbox, name).token
    assert sandbox.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
    found = sandbox.status("charge")
    assert found.outcome == "charged"
    assert sandbox.charge("charge", token, 100, "USD", "chg_1") == found
    assert [line.reference for line in sandbox.charges(0, clock.now() + 1, "")[0]] == [found.reference]


def test_a_lost_charge_may_be_told_by_a_callback(sandbox, bank, queues, receiver):
    """CB-21: two seconds later."""
    token = approved(sandbox, "charge_told").token
    sandbox.charge("charge", token, 100, "USD", "chg_7")
    assert bank.send_callbacks(queues) == 0
    with time_machine.travel(time.time() + 3, tick=True):
        bank.send_callbacks(queues)
        (callback,) = heard(sandbox, receiver)
    assert (callback.kind, callback.about, callback.verdict) == ("payment", "chg_7", None)
    assert callback.payment == sandbox.status("charge")


def test_an_ignored_charge_is_unknown_and_then_absent(sandbox):
    """CB-21: the bank never made it, and says so at the third question."""
    token = approved(sandbox, "charge_ignored").token
    assert sandbox.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
    assert [sandbox.status("charge").outcome for _ in range(4)] == ["unknown", "unknown", "absent", "absent"]
    assert sandbox.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
    assert sandbox.charges(0, clock.now() + 1, "") == ([], "")


def race(count, call):
    """The answers of calls side by side."""
    start, answers = threading.Barrier(count), []

    def run():
        start.wait()
        answers.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_charges_with_one_key_side_by_side_are_one_charge(sandbox):
    """CB-21: eight askers, one answer, one line in the list."""
    token = approved(sandbox).token
    answers = race(8, lambda: sandbox.charge("charge", token, 100, "USD", "chg_1"))
    assert len(answers) == 8
    assert {answer for answer in answers if answer.outcome != "unknown"} == {sandbox.status("charge")}
    assert len(sandbox.charges(0, clock.now() + 1, "")[0]) == 1


def test_refunds_with_keys_of_their_own_side_by_side_never_exceed_the_charge(sandbox):
    """CB-21: of eight refunds of all that is left, one is made."""
    charged = sandbox.charge("charge", approved(sandbox).token, 100, "USD", "chg_1")
    keys = iter([f"refund-{number}" for number in range(8)])
    lock = threading.Lock()

    def give_back():
        with lock:
            key = next(keys)
        return sandbox.refund(key, charged.reference, 100, "USD", "chg_2")

    outcomes = [answer.outcome for answer in race(8, give_back)]
    assert outcomes.count("refunded") == 1
    assert sum(line.amount for line in sandbox.charges(0, clock.now() + 1, "")[0] if line.kind == "refund") == 100


def test_wrong_codes_side_by_side_are_all_counted(sandbox):
    """CB-09: no try is free."""
    reference = challenged(sandbox)
    numbers = iter(range(4))
    lock = threading.Lock()

    def guess():
        with lock:
            number = next(numbers)
        return sandbox.answer_challenge(f"answer-{number}", reference, WRONG)

    assert sorted(verdict.tries_left for verdict in race(4, guess)) == [1, 2, 3, 4]


def test_the_list_has_pages_and_bounds(sandbox):
    """CB-21: what the daily comparison reads: every line once, in order, within the times that it asks for."""
    token = approved(sandbox).token
    before = clock.now()
    made = [sandbox.charge(f"charge-{number:02d}", token, 1, "USD", "chg") for number in range(60)]
    middle = sandbox.charges(before, clock.now() + 1, "")[0][30].at
    pages, cursor = [], "start"
    while cursor:
        lines, cursor = sandbox.charges(before, clock.now() + 1, "" if cursor == "start" else cursor)
        pages.append([line.reference for line in lines])
    assert [reference for page in pages for reference in page] == [one.reference for one in made]
    assert [len(page) for page in pages] == [50, 10]
    early, late = sandbox.charges(before, middle, "")[0], sandbox.charges(middle, clock.now() + 1, "")[0]
    assert all(line.at < middle for line in early)
    assert all(line.at >= middle for line in late)


def test_a_bank_that_lets_wait_is_unknown_after_three_seconds(queues):
    """CB-13: a real time-out: what was asked is done meanwhile, and found when asked for."""
    with bank_server.running(patience=5):
        sandbox = banks.bank("sandbox")
        token = approved(sandbox, "charge_lost").token
        started = time.monotonic()
        assert sandbox.charge("charge", token, 100, "USD", "chg_1") == Payment("unknown")
        assert 2.9 < time.monotonic() - started < 4.9
        assert sandbox.status("charge").outcome == "charged"
        time.sleep(2.2)


YES = json.dumps({"outcome": "approved", "reference": "bau_1", "token": "t", "items": [], "next": ""})
PAID = json.dumps({"outcome": "charged", "reference": "pay_1", "kind": "charge"})
NOTHING_RELIABLE = [
    (500, YES),
    (503, PAID),
    (429, YES),
    (401, PAID),
    (404, "{}"),
    (200, "["),
    (200, "[]"),
    (200, "{}"),
    None,
]


@pytest.mark.parametrize("answered", NOTHING_RELIABLE)
def test_an_answer_that_says_nothing_reliable_is_unknown(sandbox, monkeypatch, answered):
    """CB-13: faults, limits, a wrong key, unreadable answers and cut connections: never an exception, never a success."""
    with LocalServer(lambda _: answered) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        broken = banks.bank("sandbox")
        assert broken.authenticate("key", authentication(card("approved"))) == Verdict("unknown")
        assert (
            broken.send_challenge("key", "bau_1") == broken.answer_challenge("key", "bau_1", CODE) == Verdict("unknown")
        )
        assert broken.charge("key", "token", 1, "USD", "chg") == Payment("unknown")
        assert broken.refund("key", "pay_1", 1, "USD", "chg") == broken.withdraw("key", "bau_1") == Payment("unknown")
        assert broken.status("key") == Verdict("unknown")
        with pytest.raises(Unavailable):
            broken.charges(0, 1, "")


@pytest.mark.parametrize(
    "body", ['{"outcome": "approved", "reference": "bau_1"}', '{"outcome": "absent"}', '{"outcome": 1}']
)
def test_an_approval_without_a_token_is_none(sandbox, monkeypatch, body):
    """What could not be charged later is not taken for an approval."""
    with LocalServer(lambda _: (200, body)) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        assert banks.bank("sandbox").authenticate("key", authentication(card("approved"))) == Verdict("unknown")


def test_a_bank_that_is_not_there_is_unknown(sandbox, monkeypatch):
    """CB-13: nobody listens at the port."""
    with LocalServer(lambda _: None) as server:
        gone = server.address
    monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", gone)
    assert banks.bank("sandbox").charge("key", "token", 1, "USD", "chg") == Payment("unknown")


def test_the_record_of_fields_is_what_is_sent(sandbox, monkeypatch):
    """CB-07: phone, part of the person, part of the card; of the document the last four characters, and never the CVV."""
    sent = []

    def keep(received):
        sent.append(json.loads(received.body))
        return 500, "{}"

    with LocalServer(keep) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        banks.bank("sandbox").authenticate("key", authentication(card("approved")))
    assert set(sent[0]) - {"merchant_reference", "force_challenge"} == set(sandbox.fields_sent)
    assert sent[0]["document_number_last4"] == "0T47"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("details_mismatch", "details_mismatch"),
        (None, ""),
        ("Card 4000001000000018 was declined", "unreadable"),
        ("4000001000000018", "unreadable"),
        ({"number": "4000001000000018"}, "unreadable"),
        ("a" * 61, "unreadable"),
    ],
)
def test_a_reason_that_may_quote_what_was_asked_is_not_kept(said, kept):
    """CB-18: a bank's reason is a word; a sentence goes into no record of ours."""
    assert banks.reason(said) == kept


def test_a_refund_may_fail_after_it_was_made(sandbox):
    """VB-20: its own answer stays what it was; how it stands now, and the list, say otherwise."""
    charged = sandbox.charge("charge", approved(sandbox, "refund_fails").token, 100, "USD", "chg_1")
    made = sandbox.refund("refund", charged.reference, 100, "USD", "chg_2")
    assert (made.outcome, sandbox.status("refund")) == ("refunded", made)
    with time_machine.travel(time.time() + 3, tick=True):
        assert sandbox.status("refund") == Payment("declined", made.reference, "card_closed")
        assert [line.kind for line in sandbox.charges(0, clock.now() + 1, "")[0]] == ["charge"]


@pytest.mark.parametrize(
    ("name", "taken"), [("disputed", [0, 1, 1]), ("dispute_won", [0, 1, 0]), ("approved", [0, 0, 0])]
)
def test_a_dispute_is_taken_back_and_when_it_is_won_returned(sandbox, name, taken):
    """CB-21: as the bank has it now, in our minor units."""
    charged = sandbox.charge("charge", approved(sandbox, name).token, 1_200, "MGA", "chg_1")
    start = time.time()
    for seconds, count in zip((0, 3, 7), taken, strict=True):
        with time_machine.travel(start + seconds, tick=True):
            found = sandbox.taken_back(charged.reference)
            assert [one.amount for one in found] == [1_200] * count
    with pytest.raises(Unavailable):
        sandbox.taken_back("pay_unknown")
