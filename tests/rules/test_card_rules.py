"""The rules of cards by example, one requirement after another (CB-09 to CB-20). `test_card_machine.py` walks them at random."""

import pytest

from billfold import cards, errors
from billfold.banks import Page, Verdict
from billfold.cards import card_answers, card_bindings, card_codes, card_texts
from billfold.cards.card_challenges import CODE_OVER, PAGE_OVER
from billfold.cards.card_changes import (
    Activated,
    Answered,
    ApprovedLate,
    Asked,
    CardChange,
    ChallengeSent,
    Checked,
    CodeRefused,
    CodeTried,
    Ended,
    ExpiryUpdated,
    Removed,
    Resealed,
    Withdrawn,
)
from billfold.cards.card_errors import CardNotActive, CardStateConflict, ChallengeOver, ResendTooSoon, TooManyCards
from tests.rules.card_worlds import BOUND, FIELDS, HOUR, MINUTE, PRICE, SECOND, TOKEN, bound, heard, lived, rebuild

BEGUN: list[CardChange] = [Checked(at=BOUND), Asked(at=BOUND, fields_sent=FIELDS)]
APPROVED = [*BEGUN, heard("approved")]
ACTIVE = [*APPROVED, Activated(at=BOUND)]
CHALLENGED = [*BEGUN, heard("challenge"), ChallengeSent(at=BOUND)]
CODE_END = BOUND + 5 * MINUTE
# The last instant of 2026 twelve hours west of Greenwich, where it ends last.
OVER_EVERYWHERE = 1_798_761_600_000 + 12 * HOUR


def tried(times: int, wrong: int = 0) -> list[CardChange]:
    """So many codes tried, of which the first were judged wrong."""
    return [*([CodeTried(at=BOUND)] * times), *(CodeRefused(at=BOUND, number=number) for number in range(1, wrong + 1))]


# -------------------------------------------------------------------------------------------------------------- binding


@pytest.mark.parametrize(
    ("months", "renews"), [(-12, False), (-1, False), (0, False), (1, True), (12, True)], ids=lambda value: str(value)
)
def test_only_a_later_expiry_renews_a_card(months, renews):
    """CB-16: by the month, over the turn of a year too."""
    card = lived()
    month = card.expiry_year * 12 + card.expiry_month - 1 + months
    change = card_bindings.renew(card, month // 12, month % 12 + 1, BOUND + 1)
    assert change == (
        ExpiryUpdated(at=BOUND + 1, expiry_year=month // 12, expiry_month=month % 12 + 1) if renews else None
    )


def test_a_card_begins_as_it_was_submitted_with_its_consent_and_what_was_typed():
    """CB-03, CB-06, CB-20: who, from which device, under which terms and when."""
    card = bound(force_challenge=True)
    assert (card.state, card.revision, card.owner, card.device) == ("created", 1, "usr_1", "dev_1")
    assert (card.consent, card.bound_at, card.typed, card.force_challenge) == ("2026-11", BOUND, ("holder",), True)
    assert (card.fields_sent, card.verdict, card.token) == ((), "", "")


def test_a_card_begins_with_its_binding_and_with_nothing_else():
    """A journal that lost its beginning is a fault, never a card."""
    with pytest.raises(AssertionError):
        rebuild("crd_1", [Checked(at=BOUND)])


def test_another_s_card_is_as_unknown_as_none_and_the_attempt_names_it_for_the_log():
    """CB-12, XX-05: one refusal for both; only operations learn which card it was about."""
    mine = bound()
    assert cards.check_found(mine, "usr_1") is mine
    refusals = []
    for card, caller in ((mine, "usr_2"), (None, "usr_1")):
        with pytest.raises(errors.NotFound) as refusal:
            cards.check_found(card, caller)
        refusals.append(refusal.value)
    assert refusals[0].problem() == refusals[1].problem()
    assert [refusal.about for refusal in refusals] == ["crd_1", ""]


def test_who_tried_too_often_hears_when_to_come_back():
    """CB-17: 429 with Retry-After."""
    cards.check_allowed(0)
    with pytest.raises(TooManyCards) as refusal:
        cards.check_allowed(61)
    assert (refusal.value.status, refusal.value.problem()["retry_after_seconds"]) == (429, 61)


# ---------------------------------------------------------------------------------------------------- the state machine


def test_the_machine_begins_with_a_card_once():
    """CB-04: created, it is checked; under way or over, it stays as it is."""
    assert cards.begin(bound(), BOUND) == Checked(at=BOUND)
    for changes in (BEGUN, ACTIVE, [Ended(at=BOUND, state="cancelled")]):
        assert cards.begin(lived(*changes), BOUND) is None


def test_a_card_that_has_expired_since_it_was_submitted_is_invalid():
    """CB-04: its month is over everywhere; no bank is asked."""
    assert cards.begin(bound(), OVER_EVERYWHERE - 1) == Checked(at=OVER_EVERYWHERE - 1)
    assert cards.begin(bound(), OVER_EVERYWHERE) == Ended(at=OVER_EVERYWHERE, state="invalid", reason="expired")


def test_the_record_shows_exactly_which_fields_were_sent():
    """CB-07."""
    assert lived(*BEGUN).fields_sent == tuple(FIELDS)


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ([], "ask"),
        (BEGUN, "ask"),
        ([*BEGUN, heard("unknown")], "ask"),
        (APPROVED, "approved"),
        ([*BEGUN, heard("declined")], "declined"),
        ([*BEGUN, heard("unknown"), heard("approved", by="callback")], "approved"),
        ([*BEGUN, heard("challenge")], "challenge"),
        (CHALLENGED, "challenge"),
        ([*CHALLENGED, *tried(4, wrong=4)], "challenge"),
        ([*CHALLENGED, *tried(5, wrong=4)], "ask"),
        ([*CHALLENGED, *tried(5, wrong=5)], "declined"),
        ([*CHALLENGED, *tried(1), heard("approved", by="code 1")], "approved"),
        (ACTIVE, "over"),
        ([*ACTIVE, Removed(at=BOUND)], "over"),
        ([Ended(at=BOUND, state="cancelled")], "over"),
        ([*BEGUN, heard("declined"), Ended(at=BOUND, state="declined")], "over"),
    ],
)
def test_the_machine_is_told_what_to_do_from_what_is_known(changes, standing):
    """CB-09, CB-13: from the card alone, so that a machine which is run twice does the same."""
    assert cards.standing(lived(*changes), BOUND + 1) == standing


def test_a_bank_that_does_not_answer_has_fifteen_minutes():
    """CB-13: then the card has expired; never is success assumed."""
    silent = lived(*BEGUN, *[heard("unknown")] * 9)
    assert silent.gives_up_at == BOUND + 15 * MINUTE
    assert cards.standing(silent, silent.gives_up_at - 1) == "ask"
    assert cards.standing(silent, silent.gives_up_at) == "expired"
    assert cards.end(silent, silent.gives_up_at) == Ended(at=silent.gives_up_at, state="expired")


def test_an_approval_in_time_stands_however_late_the_machine_looks():
    """CB-13: the deadline is the bank's, not the machine's."""
    assert cards.standing(lived(*APPROVED), BOUND + 24 * HOUR) == "approved"


def test_a_silent_bank_is_asked_again_each_time_later():
    """CB-13: after 2 s, then twice as long, two minutes at most, and not beyond the end of its time."""
    waits = [cards.wait_seconds(lived(*BEGUN, *[heard("unknown")] * asked), BOUND) for asked in range(1, 20)]
    assert waits[:8] == [2, 4, 8, 16, 32, 64, 120, 120]
    assert set(waits[8:]) == {120}
    nearly = lived(*BEGUN, *[heard("unknown")] * 9)
    assert cards.wait_seconds(nearly, nearly.gives_up_at - 30 * SECOND) == 30
    assert [cards.wait_seconds(nearly, nearly.gives_up_at + late) for late in (-1, 0, HOUR)] == [1, 1, 1]


def test_for_a_code_the_machine_waits_as_long_as_the_code_is_good():
    """CB-09: five minutes from its sending, counted up, so that it never looks a moment too early."""
    assert cards.wait_seconds(lived(*BEGUN, heard("challenge")), BOUND) == 300
    sent = lived(*CHALLENGED)
    assert cards.wait_seconds(sent, BOUND) == 300
    assert cards.wait_seconds(sent, BOUND + 1) == 300
    assert cards.wait_seconds(sent, CODE_END - 1_001) == 2


def test_for_a_try_that_is_not_judged_the_bank_is_asked_each_time_later():
    """CB-13: of a code that is over, or was tried five times; hundreds of asks would serve nobody."""
    unjudged, tried_out = lived(*CHALLENGED, CodeTried(at=BOUND)), lived(*CHALLENGED, *[CodeTried(at=BOUND)] * 5)
    sent_at = unjudged.challenge.sent_at
    assert cards.wait_seconds(unjudged, CODE_END) == 120
    waits = [cards.wait_seconds(tried_out, sent_at + after * SECOND) for after in (0, 2, 30, 90, 300, 3_600)]
    assert waits == [2, 2, 30, 90, 120, 120]


def test_a_code_that_never_could_be_sent_ends_with_the_time_for_it():
    """CB-13: a machine does not go round for ever."""
    unsent = lived(*BEGUN, heard("challenge"))
    assert cards.standing(unsent, unsent.gives_up_at - 1) == "challenge"
    assert cards.standing(unsent, unsent.gives_up_at) == "expired"
    assert cards.end(unsent, unsent.gives_up_at) == Ended(at=unsent.gives_up_at, state="expired")


@pytest.mark.parametrize(
    ("changes", "now", "ended"),
    [
        ([*BEGUN, heard("declined", reason="details_mismatch")], BOUND, ("declined", "")),
        (CHALLENGED, CODE_END, ("declined", CODE_OVER)),
        ([*CHALLENGED, *tried(5, wrong=5)], BOUND, ("declined", CODE_OVER)),
        ([*CHALLENGED, *tried(5, wrong=4), heard("declined", by="code 5")], BOUND, ("declined", CODE_OVER)),
        (BEGUN, BOUND + 15 * MINUTE, ("expired", "")),
        (APPROVED, BOUND, ("expired", "")),
        (CHALLENGED, BOUND, ("expired", "")),
    ],
    ids=[
        "declined",
        "too late",
        "five wrong codes",
        "declined at the fifth",
        "silent",
        "approved, but not activated",
        "given up",
    ],
)
def test_the_machine_ends_a_card_as_declined_only_when_the_bank_or_the_code_say_so(changes, now, ended):
    """CB-09, CB-13: a code that ran out makes a cool-down follow; whatever else goes wrong is an expiry."""
    change = cards.end(lived(*changes), now)
    assert change is not None
    assert (change.state, change.reason) == ended


def test_a_card_that_is_over_or_active_is_not_ended():
    """An end is final, and only its owner removes a card that is linked."""
    for changes in (ACTIVE, [*ACTIVE, Removed(at=BOUND)], [Ended(at=BOUND, state="cancelled")]):
        assert cards.end(lived(*changes), BOUND + HOUR) is None


def test_a_bank_s_reason_stays_when_the_card_ends_for_it():
    """For operations: the end's own reason comes before the bank's, none keeps it."""
    declined = [*BEGUN, heard("declined", reason="details_mismatch")]
    assert lived(*declined, Ended(at=BOUND, state="declined")).reason == "details_mismatch"
    assert lived(*declined, Ended(at=BOUND, state="declined", reason="code_over")).reason == "code_over"


def test_what_a_bank_says_is_recorded_as_it_said_it():
    """CB-07, CB-13: how it came, what it refers to, what is charged by, and how a challenge is answered."""
    said = Verdict("challenge", "bau_1", "a token", "of the bank", tries_left=3, page=Page("https://bank", "secret"))
    assert card_answers.answered(said, "callback", BOUND) == Answered(
        at=BOUND,
        outcome="challenge",
        by="callback",
        reference="bau_1",
        token="a token",
        reason="of the bank",
        way="redirect",
    )


@pytest.mark.parametrize(
    ("changes", "cools"),
    [
        ([*CHALLENGED, Ended(at=BOUND, state="declined", reason=CODE_OVER)], True),
        ([*CHALLENGED, *tried(1, wrong=1), Ended(at=BOUND, state="cancelled")], True),
        ([*CHALLENGED, *tried(1), Ended(at=BOUND, state="cancelled")], True),
        ([*CHALLENGED, ChallengeSent(at=BOUND), Ended(at=BOUND, state="cancelled")], True),
        ([*CHALLENGED, Ended(at=BOUND, state="cancelled")], False),
        ([*CHALLENGED, *tried(1), heard("approved", by="code 1"), Ended(at=BOUND, state="cancelled")], False),
        ([*CHALLENGED, *tried(2, wrong=1), heard("approved", by="code 2"), Ended(at=BOUND, state="cancelled")], True),
        ([*BEGUN, heard("declined"), Ended(at=BOUND, state="declined")], False),
        ([*CHALLENGED, *tried(2, wrong=1), heard("approved"), Activated(at=BOUND), Removed(at=BOUND)], False),
        ([*CHALLENGED, *tried(5, wrong=4)], False),
    ],
)
def test_a_card_cools_down_once_it_is_over_and_a_new_binding_would_give_tries_back(changes, cools):
    """CB-09: five codes a day are five, however often the card is given up and bound again."""
    assert card_answers.cools_down(lived(*changes)) is cools


# ------------------------------------------------------------------------------------------------------------- the code


def test_a_code_is_good_for_five_minutes_after_it_was_last_sent():
    """CB-09: to the last millisecond, and anew after a resend."""
    card = lived(*CHALLENGED)
    assert card_codes.try_code(card, CODE_END - 1) == CodeTried(at=CODE_END - 1)
    with pytest.raises(ChallengeOver):
        card_codes.try_code(card, CODE_END)
    again = lived(*CHALLENGED, ChallengeSent(at=BOUND + 4 * MINUTE))
    assert again.challenge.expires_at == BOUND + 9 * MINUTE
    assert card_codes.try_code(again, BOUND + 9 * MINUTE - 1)


def test_a_code_has_five_tries_counted_before_the_bank_judges_them():
    """CB-09: a sixth is refused though no answer has come to any, and a resend brings none back."""
    for judged in range(6):
        assert card_codes.try_code(lived(*CHALLENGED, *tried(4, min(judged, 4))), BOUND)
        with pytest.raises(ChallengeOver):
            card_codes.try_code(lived(*CHALLENGED, *tried(5, judged)), BOUND)
    resent = lived(*CHALLENGED, *tried(5, 4), ChallengeSent(at=BOUND + MINUTE))
    with pytest.raises(ChallengeOver):
        card_codes.try_code(resent, BOUND + MINUTE)
    assert (resent.challenge.tries_left, resent.challenge.refused) == (0, 4)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        BEGUN,
        [*BEGUN, heard("unknown")],
        [*BEGUN, heard("challenge")],
        APPROVED,
        ACTIVE,
        [Ended(at=BOUND, state="cancelled")],
    ],
    ids=["created", "asked", "unknown", "not sent", "approved", "active", "over"],
)
def test_no_code_is_tried_or_resent_where_none_is_awaited(changes):
    """CB-09: before the first was sent, after the verdict, and after the end."""
    card = lived(*changes)
    for act in (card_codes.try_code, card_codes.resend):
        with pytest.raises(CardStateConflict) as refusal:
            act(card, BOUND + 2 * MINUTE)
        assert refusal.value.facts["state"] == card.state


def test_a_code_is_resent_after_a_minute_and_three_times_at_most():
    """CB-09: earlier it is 429 with the seconds that are left, counted up; a fourth is refused."""
    card, now = lived(*CHALLENGED), BOUND
    for resends_left in (3, 2, 1):
        assert card.challenge.resends_left == resends_left
        for waited, left in ((0, 60), (1, 60), (59_000, 1), (59_999, 1)):
            with pytest.raises(ResendTooSoon) as refusal:
                card_codes.resend(card, now + waited)
            assert (refusal.value.status, refusal.value.problem()["retry_after_seconds"]) == (429, left)
        now += MINUTE
        sent = card_codes.resend(card, now)
        assert sent == ChallengeSent(at=now)
        card = cards.after(card, sent)
    with pytest.raises(ChallengeOver):
        card_codes.resend(card, now + MINUTE)


def test_no_code_is_resent_when_no_try_is_left():
    """CB-09: it could not be entered."""
    assert card_codes.resend(lived(*CHALLENGED, *tried(4)), BOUND + MINUTE)
    with pytest.raises(ChallengeOver):
        card_codes.resend(lived(*CHALLENGED, *tried(5)), BOUND + MINUTE)


def test_a_code_that_ran_out_can_still_be_resent_until_the_machine_ends_it():
    """CB-09: the resend and the end are two writers of one revision; whichever comes first stands."""
    assert card_codes.resend(lived(*CHALLENGED), CODE_END + 1)


def test_a_try_that_nobody_judged_is_asked_about_before_the_card_is_declined():
    """CB-09, CB-13: it may have been the right one; the bank has fifteen minutes more to say so."""
    unjudged = lived(*CHALLENGED, *tried(2, wrong=1))
    assert cards.standing(unjudged, CODE_END - 1) == "challenge"
    assert cards.standing(unjudged, CODE_END) == "ask"
    assert cards.standing(unjudged, CODE_END + 15 * MINUTE - 1) == "ask"
    assert cards.standing(unjudged, CODE_END + 15 * MINUTE) == "declined"
    assert cards.standing(lived(*CHALLENGED, *tried(2, wrong=2)), CODE_END) == "declined"


# ------------------------------------------------------------------------------------------------------ the bank's word


@pytest.mark.parametrize("first", ["approved", "declined"])
@pytest.mark.parametrize("then", ["approved", "declined", "challenge", "unknown", "absent"])
def test_a_verdict_stands_whatever_is_said_after_it(first, then):
    """CB-13, CB-14: callbacks come twice, late and out of order; only an approval after a decline is news, to be withdrawn."""
    card = lived(*BEGUN, heard(first))
    change = card_answers.hear(card, heard(then, by="callback"))
    assert isinstance(change, ApprovedLate) if (first, then) == ("declined", "approved") else change is None
    assert cards.standing(lived(*BEGUN, heard(first), *([change] if change else [])), BOUND) == first


@pytest.mark.parametrize(
    ("before", "said", "new"),
    [
        ([], "approved", True),
        ([], "challenge", True),
        ([], "unknown", True),
        ([], "absent", False),
        ([heard("unknown")], "unknown", True),
        ([heard("unknown")], "approved", True),
        ([heard("unknown")], "absent", False),
        ([heard("challenge")], "unknown", False),
        ([heard("challenge")], "challenge", False),
        ([heard("challenge")], "approved", True),
        ([heard("challenge")], "declined", True),
    ],
)
def test_what_the_bank_says_is_heard_when_it_is_news(before, said, new):
    """CB-13: each silence counts, for each makes the next wait longer; but silence does not undo a challenge."""
    answer = heard(said)
    assert card_answers.hear(lived(*BEGUN, *before), answer) == (answer if new else None)


@pytest.mark.parametrize("end", ["declined", "expired", "cancelled", "invalid"])
def test_a_late_approval_never_activates_but_is_recorded_once_to_be_withdrawn(end):
    """CB-14: whatever ended the card; the second copy of it is nothing new, and so is any other word."""
    over = [*BEGUN, heard("unknown"), Ended(at=BOUND + HOUR, state=end)]
    late = card_answers.hear(lived(*over), heard("approved", BOUND + 2 * HOUR, "callback"))
    assert late == ApprovedLate(at=BOUND + 2 * HOUR, reference="bau_1")
    card = lived(*over, late)
    assert (card.state, card.token, cards.standing(card, BOUND + 2 * HOUR)) == (end, "", "over")
    assert card_answers.is_to_withdraw(card)
    for said in ("approved", "declined", "challenge", "unknown", "absent"):
        assert card_answers.hear(card, heard(said)) is None
        assert said == "approved" or card_answers.hear(lived(*over), heard(said)) is None


def test_an_approval_after_a_decline_is_withdrawn_though_the_card_is_still_open():
    """CB-14: the bank contradicts itself; its first word stands, and its second must not stay alive."""
    declined = [*BEGUN, heard("declined")]
    late = card_answers.hear(lived(*declined), heard("approved", BOUND + 1, "callback"))
    assert late == ApprovedLate(at=BOUND + 1, reference="bau_1")
    card = lived(*declined, late)
    assert cards.standing(card, BOUND + 2) == "declined"
    assert card_answers.is_to_withdraw(card)
    assert card_answers.hear(card, heard("approved")) is None
    taken_back = lived(*declined, late, Withdrawn(at=BOUND + 3))
    assert cards.standing(taken_back, BOUND + 4) == "declined"
    assert not card_answers.is_to_withdraw(
        lived(*declined, late, Withdrawn(at=BOUND + 3), Ended(at=BOUND + 5, state="declined"))
    )


def test_a_late_approval_without_a_reference_is_withdrawn_by_the_one_that_is_known():
    """CB-14: the bank named its authentication when it asked for a code."""
    over = lived(*CHALLENGED, Ended(at=BOUND, state="cancelled"))
    assert card_answers.hear(over, heard("approved", reference="")) == ApprovedLate(at=BOUND, reference="bau_1")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (BEGUN, False),
        ([Ended(at=BOUND, state="cancelled")], False),
        ([Checked(at=BOUND), Ended(at=BOUND, state="cancelled")], False),
        ([*BEGUN, Ended(at=BOUND, state="cancelled")], True),
        ([*BEGUN, heard("unknown"), Ended(at=BOUND, state="expired")], True),
        ([*CHALLENGED, Ended(at=BOUND, state="cancelled")], True),
        ([*APPROVED, Ended(at=BOUND, state="cancelled")], False),
        ([*BEGUN, heard("declined"), Ended(at=BOUND, state="declined")], False),
        ([*BEGUN, Ended(at=BOUND, state="expired"), ApprovedLate(at=BOUND, reference="bau_1")], False),
        ([*ACTIVE, Removed(at=BOUND)], False),
    ],
)
def test_a_card_that_ended_before_its_bank_spoke_is_asked_about_once_more(changes, wanted):
    """CB-14: only where the bank was asked and has not given its last word; a challenge is not one."""
    assert card_answers.is_unheard(lived(*changes)) is wanted


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (APPROVED, False),
        (ACTIVE, False),
        ([*APPROVED, Ended(at=BOUND, state="cancelled")], True),
        ([*ACTIVE, Removed(at=BOUND)], True),
        ([*ACTIVE, Removed(at=BOUND), Withdrawn(at=BOUND)], False),
        ([*BEGUN, Ended(at=BOUND, state="cancelled")], False),
        ([*BEGUN, heard("declined"), Ended(at=BOUND, state="declined")], False),
        ([*BEGUN, Ended(at=BOUND, state="expired"), ApprovedLate(at=BOUND, reference="bau_1")], True),
        (
            [*BEGUN, Ended(at=BOUND, state="expired"), ApprovedLate(at=BOUND, reference="bau_1"), Withdrawn(at=BOUND)],
            False,
        ),
    ],
)
def test_an_approval_is_withdrawn_exactly_when_the_bank_holds_one_for_what_is_over(changes, wanted):
    """CB-14: once."""
    assert card_answers.is_to_withdraw(lived(*changes)) is wanted


# ------------------------------------------------------------------------------------------------------------ the owner


def test_an_owner_removes_what_is_linked_and_cancels_what_is_under_way():
    """CB-20: what is over stays as it ended."""
    assert cards.remove(lived(*ACTIVE), BOUND) == Removed(at=BOUND)
    for changes in ([], BEGUN, [*BEGUN, heard("unknown")], CHALLENGED, APPROVED):
        assert cards.remove(lived(*changes), BOUND) == Ended(at=BOUND, state="cancelled")
    for end in ("invalid", "declined", "expired", "cancelled"):
        assert cards.remove(lived(Ended(at=BOUND, state=end)), BOUND) is None
    assert cards.remove(lived(*ACTIVE, Removed(at=BOUND)), BOUND) is None


@pytest.mark.parametrize(
    "changes",
    [
        [],
        BEGUN,
        [*BEGUN, heard("unknown")],
        CHALLENGED,
        APPROVED,
        [Ended(at=BOUND, state="expired")],
        [*ACTIVE, Removed(at=BOUND)],
    ],
)
def test_a_card_pays_while_it_is_active_and_never_before_or_after(changes):
    """CB-10, CB-20: an approval alone is not enough; the refusal names the state."""
    assert cards.check_can_pay(lived(*ACTIVE), "usr_1", PRICE, BOUND).token == TOKEN
    card = lived(*changes)
    with pytest.raises(CardNotActive) as refusal:
        cards.check_can_pay(card, "usr_1", PRICE, BOUND)
    assert refusal.value.facts["state"] == card.state


def test_a_card_pays_until_its_month_is_over_everywhere():
    """CB-04, CB-10: as long as it could have been bound, not a millisecond longer; a new expiry makes it good again."""
    card = lived(*ACTIVE)
    assert cards.check_can_pay(card, "usr_1", PRICE, OVER_EVERYWHERE - 1) is card
    with pytest.raises(CardNotActive) as refusal:
        cards.check_can_pay(card, "usr_1", PRICE, OVER_EVERYWHERE)
    assert refusal.value.facts["state"] == "expired"
    assert cards.check_can_pay(
        lived(*ACTIVE, ExpiryUpdated(at=BOUND, expiry_year=2028, expiry_month=2)), "usr_1", PRICE, OVER_EVERYWHERE
    )


def test_nobody_pays_with_another_s_card():
    """CB-12: it does not exist for them, whatever state it is in."""
    for changes in ([], ACTIVE, [Ended(at=BOUND, state="expired")]):
        with pytest.raises(errors.NotFound):
            cards.check_can_pay(lived(*changes), "usr_2", PRICE, BOUND)
    with pytest.raises(errors.NotFound):
        cards.check_can_pay(None, "usr_1", PRICE, BOUND)


@pytest.mark.parametrize(
    ("year", "month", "end"),
    [
        (2026, 12, 1_798_761_600_000),
        (2028, 2, 1_835_481_600_000),
        (2027, 2, 1_803_859_200_000),
        (2026, 11, 1_796_083_200_000),
    ],
)
def test_the_expiry_is_the_first_instant_after_the_printed_month(year, month, end):
    """Leap years and ends of years included."""
    assert bound(expiry_year=year, expiry_month=month).expires_at == end


# ---------------------------------------------------------------------------------------------------------------- texts


def test_the_owner_hears_what_the_state_means_and_never_which_detail_was_wrong():
    """CB-09, CB-11, CB-13, CB-15: the same words whatever the bank's reason was."""
    said = {
        "active": "Visa ending 4242 is now linked. You can pay with it.",
        "declined": "The details do not match the bank's records.",
        "expired": "The bank did not answer. You were not charged.",
        "invalid": "This card has expired.",
        "challenged": "Your bank has sent you a code. Enter it to link the card.",
    }
    for state in cards.OPEN | cards.ENDS | {"active"}:
        for reason in ("", "details_mismatch", "expired_card", "do_not_honour", "too_many_codes"):
            assert card_texts.text(state, "Visa", "4242", reason) == said.get(state, "")


@pytest.mark.parametrize(
    ("state", "reason", "way", "said"),
    [
        (
            "declined",
            CODE_OVER,
            "code",
            "The code was not entered in time, or was wrong too often. Try again tomorrow.",
        ),
        (
            "expired",
            PAGE_OVER,
            "redirect",
            "You did not confirm with your bank in time. You were not charged. Try again.",
        ),
        ("expired", cards.OUT_OF_DATE, "code", "This card has expired."),
        ("challenged", "", "redirect", "Confirm with your bank to link the card."),
    ],
)
def test_the_owner_hears_how_a_challenge_stands_and_why_it_is_over(state, reason, way, said):
    """CB-09, CB-13: what the owner can do follows from it; a reason says nothing in a state that it did not make."""
    assert card_texts.text(state, "Visa", "4242", reason, way) == said
    assert card_texts.text("active", "Visa", "4242", reason, way).startswith("Visa ending 4242")


# -------------------------------------------------------------------------------------------------------------- changes


def test_a_card_moved_on_by_the_vault_is_the_same_card_under_another_fingerprint():
    """CB-19: nothing else changes."""
    before, after = lived(*ACTIVE), lived(*ACTIVE, Resealed(at=BOUND, fingerprint="fingerprint 2"))
    assert (after.fingerprint, after.revision) == ("fingerprint 2", before.revision + 1)
    assert (after.state, after.token, after.verdict) == (before.state, before.token, before.verdict)


def test_a_later_word_without_reference_or_token_keeps_the_earlier_ones():
    """What charges are made with is never lost to a shorter answer."""
    card = lived(*BEGUN, heard("challenge"), heard("approved", reference=""))
    assert (card.reference, card.token, card.asked) == ("bau_1", TOKEN, 2)


def test_an_unknown_change_is_a_fault():
    """A kind that the rules forgot never passes silently."""
    with pytest.raises(TypeError, match="no such change"):
        cards.after(bound(), object())  # type: ignore[arg-type]


def test_neither_a_card_nor_its_changes_show_the_token_when_printed():
    """CB-18: a log line or a traceback of them gives nothing away to charge by."""
    assert TOKEN not in f"{lived(*ACTIVE)!r} {lived(*ACTIVE)} {ACTIVE!r} {heard('approved')}"
    assert lived(*ACTIVE).token == TOKEN
