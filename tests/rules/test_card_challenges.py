"""A challenge on the bank's own page: nothing is typed, nobody's code was wrong, and the bank is asked a last time (CB-09)."""

import json
import pathlib

import pytest

from billfold import cards
from billfold.cards import card_answers, card_codes
from billfold.cards.card_challenges import LAST_ASK, PAGE_OVER, PAGE_VALID, Challenge
from billfold.cards.card_changes import Answered, ApprovedLate, Asked, ChallengeSent, Checked, Ended
from billfold.cards.card_errors import NoCodeAwaited
from tests.rules.card_worlds import BOUND, FIELDS, MINUTE, SECOND, heard, lived

PAGE = Answered(at=BOUND, outcome="challenge", by="asking", reference="bau_1", way="redirect")
ASKED = [Checked(at=BOUND), Asked(at=BOUND, fields_sent=FIELDS), PAGE]
WAITING = [*ASKED, ChallengeSent(at=BOUND, way="redirect")]
OVER = BOUND + PAGE_VALID


@pytest.mark.parametrize(
    ("at", "standing"),
    [
        (BOUND, "challenge"),
        (OVER - 1, "challenge"),
        (OVER, "ask"),
        (OVER + LAST_ASK - 1, "ask"),
        (OVER + LAST_ASK, "expired"),
        (OVER + 100 * MINUTE, "expired"),
    ],
)
def test_the_machine_waits_for_the_page_then_asks_a_last_time_and_then_gives_up(at, standing):
    """CB-13: the bank alone knows whether the owner confirmed in the last moment."""
    assert cards.standing(lived(*WAITING), at) == standing
    assert 1 <= cards.wait_seconds(lived(*WAITING), at) <= 600


def test_a_page_that_the_owner_was_not_shown_is_waited_for_however_late_it_is():
    """CB-09: its time begins when it is shown."""
    assert Challenge("redirect").on_page(BOUND + 100 * MINUTE) == "challenge"


def test_the_machine_s_wait_ends_with_the_page_s_time():
    """CB-09: ten minutes, before it is shown as well as after, and then no longer than the last ask may take."""
    assert cards.wait_seconds(lived(*ASKED), BOUND) == PAGE_VALID // SECOND
    assert cards.wait_seconds(lived(*WAITING), BOUND + 4 * MINUTE) == 360
    assert cards.wait_seconds(lived(*WAITING), OVER) <= LAST_ASK // SECOND


def test_no_code_is_tried_and_none_is_sent_again():
    """CB-09: so that a habit of typing costs nobody her card."""
    for deed in (card_codes.try_code, card_codes.resend):
        with pytest.raises(NoCodeAwaited):
            deed(lived(*WAITING), BOUND + 2 * MINUTE)


def test_its_time_over_it_expires_without_a_cool_down_and_says_why():
    """CB-09: nobody guessed anything; and a card whose bank was silent still says that."""
    ended = cards.end(lived(*WAITING), OVER + LAST_ASK)
    assert ended == Ended(at=OVER + LAST_ASK, state="expired", reason=PAGE_OVER)
    assert cards.end(lived(*ASKED), BOUND + cards.PATIENCE) == Ended(at=BOUND + cards.PATIENCE, state="expired")
    after = lived(*WAITING, ended)
    assert card_answers.is_unheard(after), "the bank is asked once more, and an approval is taken back"
    approved = Answered(at=OVER + 5 * MINUTE, outcome="approved", by="callback", reference="bau_1", token="t")
    assert card_answers.hear(after, approved) == ApprovedLate(at=OVER + 5 * MINUTE, reference="bau_1")


@pytest.mark.parametrize(("at", "awaited"), [(BOUND, True), (OVER - 1, True), (OVER, False), (OVER + LAST_ASK, False)])
def test_the_page_is_given_while_it_is_awaited(at, awaited):
    """CB-09: not before the machine waits for it, nor for a code, nor after the bank's word."""
    assert card_codes.awaits_page(lived(*WAITING), at) == awaited
    code = [Checked(at=BOUND), Asked(at=BOUND, fields_sent=FIELDS), heard("challenge"), ChallengeSent(at=BOUND)]
    for changes in (
        ASKED,
        code,
        [*WAITING, heard("approved", by="page")],
        [*WAITING, Ended(at=BOUND, state="cancelled")],
    ):
        assert not card_codes.awaits_page(lived(*changes), at)


def test_a_challenge_of_an_earlier_version_is_one_by_code():
    """Rows of before know no way; their challenge goes on as it was."""
    old = [
        Checked(at=BOUND),
        Asked(at=BOUND, fields_sent=FIELDS),
        Answered(at=BOUND, outcome="challenge", by="asking", reference="bau_1"),
        ChallengeSent(at=BOUND),
    ]
    assert lived(*old).challenge.way == "code"
    rows = pathlib.Path(__file__).parent.parent / "tables/card_rows_v1.json"
    assert not any('way"' in json.dumps(line) for line in rows.read_text().splitlines())
