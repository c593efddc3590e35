"""A card's rows on a real engine: every change is kept, one writer wins, three users hold it, the stream tells who must act."""

import json
import pathlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest

from billfold import cards
from billfold.cards import Card, CardSummary, card_end_rows, card_holder_rows, card_rows, card_stream
from billfold.cards import card_changes as changes
from billfold.cards.card_challenges import CODE_OVER
from billfold.cards.card_changes import CardChange
from billfold.clock import HOUR
from billfold.errors import NotFound, Stale
from billfold.tables import limit_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.vault import Sealed, vault_rows
from tests.rules.card_worlds import BOUND, FIELDS, TOKEN, binding, heard, rebuild
from tests.tables.scripts import metered

pytestmark = pytest.mark.usefixtures("store")

OLD_ROWS = pathlib.Path(__file__).parent / "card_rows_v1.json"
MARKS = {"operation": "opr_1", "request": "fingerprint"}

# Three lives that pass through every kind of change.
REMOVED: list[CardChange] = [
    binding(**MARKS),
    changes.Checked(at=BOUND + 1),
    changes.Asked(at=BOUND + 2, fields_sent=FIELDS),
    heard("unknown", BOUND + 3),
    heard("challenge", BOUND + 4, reason="of the bank"),
    changes.ChallengeSent(at=BOUND + 5),
    changes.CodeTried(at=BOUND + 6, operation="opr_2", request="fingerprint 2"),
    changes.CodeRefused(at=BOUND + 7, number=1),
    changes.ChallengeSent(at=BOUND + 8, operation="opr_3", request="fingerprint 3"),
    changes.CodeTried(at=BOUND + 9, **MARKS),
    heard("approved", BOUND + 10, "code 2"),
    changes.Activated(at=BOUND + 11),
    changes.ExpiryUpdated(at=BOUND + 12, expiry_year=2031, expiry_month=7),
    changes.Resealed(at=BOUND + 13, fingerprint="fingerprint 2"),
    changes.Removed(at=BOUND + 14),
    changes.Withdrawn(at=BOUND + 15),
]
LATE: list[CardChange] = [
    binding(typed=[], force_challenge=True),
    changes.Checked(at=BOUND + 1),
    changes.Asked(at=BOUND + 2, fields_sent=FIELDS),
    heard("unknown", BOUND + 3),
    changes.Ended(at=BOUND + 4, state="expired"),
    changes.ApprovedLate(at=BOUND + 5, reference="bau_1"),
]
DECLINED: list[CardChange] = [
    binding(),
    changes.Checked(at=BOUND + 1),
    changes.Asked(at=BOUND + 2, fields_sent=FIELDS),
    heard("challenge", BOUND + 3),
    changes.ChallengeSent(at=BOUND + 4),
    changes.Ended(at=BOUND + 5, state="declined", reason=CODE_OVER),
]
LIVES = {"removed": REMOVED, "late": LATE, "declined": DECLINED}


def fresh() -> str:
    return f"crd_{uuid.uuid4().hex}"


def bound(opening: changes.Bound, card_id: str = "") -> Card:
    commit = Commit(uuid.uuid4().hex)
    card = card_rows.add_bound(commit, card_id or fresh(), opening)
    commit.send()
    return card


def put(before: Card, change: CardChange) -> Card:
    commit = Commit(uuid.uuid4().hex)
    card = card_rows.add_change(commit, before, change)
    commit.send()
    return card


def lived(life: list[CardChange], card_id: str = "") -> Card:
    card = bound(life[0], card_id)
    for change in life[1:]:
        card = put(card, change)
    return card


def head(card_id: str) -> card_rows.HeadRow:
    found = fetch(card_rows.head(card_id))
    assert found is not None
    return found


def counted(card_id: str, number: int) -> None:
    commit = Commit(uuid.uuid4().hex)
    card_rows.count_charge(commit, card_id, number)
    commit.send()


def image(store, card_id: str, revision: int) -> dict:
    """A change as the stream carries it."""
    wanted = (card_id, f"{revision:08d}")
    return next(row for row in store.rows("cards") if (row["pk"]["S"], row["sk"]["S"]) == wanted)


# -------------------------------------------------------------------------------------------------------------- journal


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_a_card_and_all_its_changes_are_read_as_they_were_written(life):
    """Every kind of change, with and without the marks of a request, comes back equal, but for its token; so does the card."""
    card = lived(life)
    journal = card_rows.load(card.card_id)
    assert list(journal.changes) == kept(life)
    assert replace(journal.present, token="") == replace(card, token="") == rebuild(card.card_id, kept(life))
    assert journal.present.token == ("" if card.state in cards.ENDS else card.token)


def kept(life: list[CardChange]) -> list[CardChange]:
    """What the changes' rows have of a life."""
    return [replace(change, token="") if isinstance(change, changes.Answered) else change for change in life]


def test_the_lives_above_pass_through_every_kind_of_change():
    """A new kind joins one of them, or this fails."""
    assert {type(change) for life in LIVES.values() for change in life} == set(card_rows.JOURNALS.kinds.values())


def test_the_kinds_of_changes_are_stored_under_names_that_stay():
    """Stored data outlives code: a class that is renamed must keep reading what is stored under its old name."""
    assert set(card_rows.JOURNALS.kinds) == {
        "bound",
        "expiry_updated",
        "checked",
        "asked",
        "answered",
        "challenge_sent",
        "code_tried",
        "code_refused",
        "activated",
        "ended",
        "removed",
        "approved_late",
        "withdrawn",
        "resealed",
    }


def test_rows_written_by_the_first_version_can_be_read(store):
    """Stored data outlives code: these rows are frozen; a change of the code that cannot read them is wrong."""
    rows = json.loads(OLD_ROWS.read_text())
    for row in rows:
        store.client.put_item(TableName="billfold-cards", Item=row)
    assert {row["kind"]["S"] for row in rows if "kind" in row} == set(card_rows.JOURNALS.kinds)
    for name, life in LIVES.items():
        journal = card_rows.load(f"crd_old_{name}")
        assert list(journal.changes) == life
        found = fetch(card_rows.summary(f"crd_old_{name}"))
        assert found.state == journal.present.state == name.replace("late", "expired")
    put(card_rows.load("crd_old_late").present, changes.Withdrawn(at=BOUND + HOUR))
    assert [card_stream.events_of(row)[0].kind for row in rows if row.get("kind") == {"S": "bound"}] == [
        "card.created"
    ] * 3


def test_a_repeat_gets_the_card_as_the_first_answer_showed_it():
    """LG-10."""
    journal = card_rows.load(lived(REMOVED).card_id)
    for count in range(1, len(REMOVED) + 1):
        assert journal.at(count) == rebuild(journal.present.card_id, kept(REMOVED)[:count])
    assert journal.repeat("opr_1", "fingerprint") == (journal.at(1), REMOVED[0])
    assert journal.repeat("opr_2", "fingerprint 2") == (journal.at(7), REMOVED[6])
    assert journal.repeat("opr_9", "fingerprint") is None


def test_an_unknown_card_is_not_found():
    """XX-05."""
    with pytest.raises(NotFound):
        card_rows.load("crd_nobody")


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_the_head_says_what_the_card_says(life):
    """Lists, payments and conditions read the head alone: after every change it agrees with the journal."""
    card = bound(life[0])
    for change in [None, *life[1:]]:
        card = put(card, change) if change else card
        row = head(card.card_id)
        told = {field.name: getattr(card, field.name) for field in fields(CardSummary)}
        # Why it ended its changes alone know.
        told |= {"reason": "", "token": "" if card.state in cards.ENDS else card.token}
        assert fetch(card_rows.summary(card.card_id)) == CardSummary(**told)
        assert (row.revision, row.fingerprint) == (card.revision, card.fingerprint)
        assert (row.due_shard is not None, row.due_at) == (card.state in cards.OPEN, card.due_at)


def test_a_card_that_is_over_keeps_no_token_to_charge_by_in_its_head(store):
    """CB-18, CB-20: none to charge by; the machine's stays, for the machine is to hear of it."""
    commit = Commit(uuid.uuid4().hex)
    card = card_rows.add_challenge(commit, lived(REMOVED[:12]), changes.ChallengeSent(at=BOUND), "of the machine")
    commit.send()
    assert (head(card.card_id).token, card_rows.waiting(card.card_id)) == (TOKEN, "of the machine")
    card = put(card, changes.Removed(at=BOUND))
    assert (head(card.card_id).token, card_rows.waiting(card.card_id)) == (None, "of the machine")
    assert TOKEN not in json.dumps(store.rows("cards"), default=str), (
        "no change has it: they stay for ever (issue 12 F23)"
    )


# --------------------------------------------------------------------------------------------------------------- writes


def test_a_change_costs_four_write_units():
    """design.md: head and change, two units each, however long the journal."""
    card = bound(REMOVED[0])
    for change in REMOVED[1:6]:
        with metered("TransactWriteItems") as units:
            card = put(card, change)
        assert units == [4]


def test_of_many_writers_with_the_same_card_in_hand_exactly_one_wins():
    """CB-09, CB-14: the revision is the lock; of a try, an approval, an end and a removal one is first, the others are stale."""
    card = lived(DECLINED[:5])
    wanted = [
        changes.CodeTried(at=BOUND),
        heard("approved"),
        changes.Ended(at=BOUND, state="cancelled"),
        changes.ChallengeSent(at=BOUND),
    ]

    def attempt(change: CardChange) -> bool:
        try:
            put(card, change)
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, wanted * 4))
    assert won.count(True) == 1
    assert len(card_rows.load(card.card_id).changes) == 6


def test_a_card_is_bound_once():
    """The same id again is stale, and leaves the first as it was."""
    card = bound(REMOVED[0])
    with pytest.raises(Stale):
        bound(binding(owner="usr_2"), card.card_id)
    assert card_rows.load(card.card_id).present == card


def test_a_token_of_the_machine_is_kept_for_a_card_that_is_as_it_was_read():
    """The machine waits only for what has not come yet: a word that came between is not slept through."""
    card = lived(LATE[:4])
    commit = Commit(uuid.uuid4().hex)
    card_rows.add_task_token(commit, card, "first")
    commit.send()
    assert card_rows.waiting(card.card_id) == "first"
    put(card, heard("approved", by="callback"))
    commit = Commit(uuid.uuid4().hex)
    card_rows.add_task_token(commit, card, "second")
    with pytest.raises(Stale):
        commit.send()
    assert card_rows.waiting(card.card_id) == "first"
    assert card_rows.waiting("crd_nobody") == ""


# -------------------------------------------------------------------------------------------------------------- charges


@pytest.mark.parametrize(("life", "pays"), [(REMOVED[:11], False), (REMOVED[:12], True), (REMOVED[:15], False)])
def test_a_charge_begins_only_on_a_card_that_is_active_in_the_write_itself(life, pays):
    """CB-10, CB-20: whatever the rule thought; approved is not active yet, removed no more."""
    card = lived(life)
    if pays:
        counted(card.card_id, 1)
    else:
        with pytest.raises(Stale):
            counted(card.card_id, 1)
    assert head(card.card_id).charges == int(pays)


def test_no_more_charges_end_than_began():
    """CB-20: the count never goes below zero, so it never lets a removal through too early."""
    card = lived(REMOVED[:12])
    counted(card.card_id, 1)
    counted(card.card_id, 1)
    counted(card.card_id, -1)
    counted(card.card_id, -1)
    with pytest.raises(Stale):
        counted(card.card_id, -1)
    assert head(card.card_id).charges == 0


def test_a_card_with_a_charge_under_way_is_not_removed_but_changes_otherwise():
    """CB-20: the removal waits; a new expiry or another generation of keys does not."""
    card = lived(REMOVED[:12])
    counted(card.card_id, 1)
    with pytest.raises(Stale):
        put(card, changes.Removed(at=BOUND))
    card = put(
        put(card, changes.ExpiryUpdated(at=BOUND, expiry_year=2031, expiry_month=7)),
        changes.Resealed(at=BOUND, fingerprint="fingerprint 2"),
    )
    counted(card.card_id, -1)
    assert put(card, changes.Removed(at=BOUND)).state == "removed"


# -------------------------------------------------------------------------------------------------------------- holders

MANY = [f"usr_{number}" for number in range(12)]


def hold(user: str, fingerprint: str = "one", known: tuple[str, ...] = ("one",)) -> None:
    """A user holds a card whose number has these fingerprints, as binding it does; Stale as often as it must be."""
    commit = Commit(uuid.uuid4().hex)
    others = [other for other in known if other != fingerprint]
    before = fetch(card_holder_rows.holders([fingerprint, *others]))
    card_holder_rows.add_holder(commit, before, user, f"crd_of_{user}")
    commit.send()


def held(*fingerprints: str) -> dict[str, str]:
    return fetch(card_holder_rows.holders(fingerprints)).cards


def holding(user: str, *arguments: object) -> bool:
    """Whether a user came to hold it, trying again after each Stale as a step does."""
    for _ in range(20):
        try:
            hold(user, *arguments)
        except Stale:
            if len(held("one", "two")) >= cards.MAX_HOLDERS:
                return False
        else:
            return True
    raise AssertionError("nobody else won either")


def test_of_twelve_at_once_exactly_three_hold_a_card():
    """CB-16: the condition counts, not the reader."""
    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(holding, MANY))
    assert won.count(True) == 3
    assert held("one") == {user: f"crd_of_{user}" for user, holds in zip(MANY, won, strict=True) if holds}


def test_holders_under_an_older_generation_of_keys_count_too():
    """CB-16, CB-19: while keys rotate a number has two fingerprints, and three users all the same."""
    hold("usr_old", "one")
    hold("usr_new", "two", ("one", "two"))
    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(lambda user: holding(user, "two", ("one", "two")), MANY))
    assert won.count(True) == 1
    assert len(held("one", "two")) == 3


def test_holders_under_several_older_generations_are_added_up():
    """CB-16, CB-19: two rotations in a row; three users all the same."""
    hold("usr_oldest", "one")
    hold("usr_older", "two", ("one", "two"))
    hold("usr_new", "three", ("two", "one", "three"))
    with pytest.raises(Stale):
        hold("usr_late", "three", ("two", "one", "three"))
    assert set(held("one", "two", "three")) == {"usr_oldest", "usr_older", "usr_new"}


@pytest.mark.parametrize("before", [[], ["usr_old"]])
def test_whoever_comes_or_goes_under_an_older_generation_is_noticed(before):
    """CB-16: an earlier version of a function still adds and removes holders there while keys rotate."""
    for user in before:
        hold(user)
    as_read = fetch(card_holder_rows.holders(["two", "one"]))
    hold("usr_between")
    commit = Commit(uuid.uuid4().hex)
    card_holder_rows.add_holder(commit, as_read, "usr_new", "crd_new")
    with pytest.raises(Stale):
        commit.send()


def test_a_user_holds_a_card_once():
    """CB-16: a second card of the same number is stale, and the first stays."""
    hold("usr_0")
    hold("usr_1")
    with pytest.raises(Stale):
        hold("usr_0")
    assert held("one") == {"usr_0": "crd_of_usr_0", "usr_1": "crd_of_usr_1"}


def test_who_holds_a_card_no_more_makes_room():
    """CB-16, CB-20: only the card that holds the place gives it up."""
    for user in MANY[:3]:
        hold(user)
    with pytest.raises(Stale):
        hold(MANY[3])
    mine = rebuild("crd_of_usr_1", [binding(owner="usr_1", fingerprint="one")])
    for card, gone in ((replace(mine, card_id="crd_other"), False), (mine, True)):
        commit = Commit(uuid.uuid4().hex)
        card_holder_rows.remove_holder(commit, card)
        if gone:
            commit.send()
        else:
            with pytest.raises(Stale):
                commit.send()
        assert ("usr_1" not in held("one")) is gone
    hold(MANY[3])
    assert set(held("one")) == {"usr_0", "usr_2", "usr_3"}


# ------------------------------------------------------------------------------------------------------ what follows


@pytest.mark.parametrize(
    ("life", "messages", "told"),
    [
        (
            REMOVED,
            {1: ["authentications"], 8: ["answers"], 11: ["answers"], 15: ["withdrawals"]},
            {
                1: "card.created",
                6: "card.code_requested",
                9: "card.code_requested",
                12: "card.linked",
                13: "card.updated",
                15: "card.removed",
            },
        ),
        (
            LATE,
            {1: ["authentications"], 5: ["answers", "withdrawals"], 6: ["withdrawals"]},
            {1: "card.created", 5: "card.expired"},
        ),
        (
            DECLINED,
            {1: ["authentications"], 6: ["answers", "withdrawals"]},
            {1: "card.created", 5: "card.code_requested", 6: "card.declined"},
        ),
    ],
    ids=LIVES,
)
def test_each_change_means_just_these_messages_and_just_this_event(store, life, messages, told):
    """XX-03: who must act, by the card's id alone; what the owner hears. What only banks and we see is told to nobody."""
    card = lived(life)
    for revision in range(1, len(life) + 1):
        row = image(store, card.card_id, revision)
        assert card_stream.messages(row) == [(name, card.card_id) for name in messages.get(revision, [])], revision
        events = card_stream.events_of(row)
        assert [event.kind for event in events] == ([told[revision]] if revision in told else []), revision
        for event in events:
            assert (event.change, event.audience, event.about) == (
                f"{card.card_id}/{revision:08d}",
                "usr_1",
                card.card_id,
            )
            assert event.at == life[revision - 1].at
            assert TOKEN not in repr(event)


def test_a_callback_or_a_code_resumes_the_machine_and_its_own_asking_does_not(store):
    """CB-13: what the machine heard itself it knows."""
    for by, expected in (("asking", []), ("callback", ["answers"]), ("code 1", ["answers"])):
        card = put(lived(LATE[:4]), heard("approved", by=by))
        assert [name for name, _ in card_stream.messages(image(store, card.card_id, 5))] == expected


def test_an_approved_card_that_is_cancelled_is_withdrawn_at_the_bank(store):
    """CB-14, CB-20: by its end itself, and the machine is resumed; the withdrawal is the last word."""
    card = put(lived([*LATE[:3], heard("approved")]), changes.Ended(at=BOUND, state="cancelled"))
    names = [name for name, _ in card_stream.messages(image(store, card.card_id, 5))]
    assert names == ["answers", "withdrawals"]
    put(card, changes.Withdrawn(at=BOUND))
    assert card_stream.messages(image(store, card.card_id, 6)) == []


@pytest.mark.parametrize(
    ("life", "kind", "text"),
    [
        (
            [*DECLINED[:4], changes.ChallengeSent(at=BOUND + 4, way="redirect")],
            "card.confirmation_requested",
            "Confirm with your bank to link the card.",
        ),
        (DECLINED[:5], "card.code_requested", "Your bank has sent you a code. Enter it to link the card."),
        (
            DECLINED,
            "card.declined",
            "The code was not entered in time, or was wrong too often. Try again tomorrow.",
        ),
        (LATE[:5], "card.expired", "The bank did not answer. You were not charged."),
        (LATE[:1], "card.created", None),
    ],
)
def test_a_challenge_and_an_end_are_told_by_their_way_and_their_reason(store, life, kind, text):
    """CB-09, CB-13: the words say what the owner can do next; where there is nothing to say, no text is there."""
    card = lived(life)
    [event] = card_stream.events_of(image(store, card.card_id, len(life)))
    facts = {"revision": len(life), "state": card.state, "brand": "Visa", "last4": "4242"}
    assert (event.kind, event.facts) == (kind, facts | ({"text": text} if text else {}))


@pytest.mark.parametrize(
    ("state", "verdict", "withdrawn"),
    [
        ("expired", "", True),
        ("cancelled", "", True),
        ("declined", "", True),
        ("declined", "declined", False),
        ("expired", "declined", False),
        ("invalid", "", False),
    ],
)
def test_a_card_that_ended_before_its_bank_gave_its_word_is_withdrawn_there(store, state, verdict, withdrawn):
    """CB-14: the bank may hold an approval that nobody heard of; what it declined it holds not, and of an invalid card it never
    heard."""
    life = [*DECLINED[:3], *([heard(verdict)] if verdict else []), changes.Ended(at=BOUND, state=state)]
    card = lived(life)
    names = [name for name, _ in card_stream.messages(image(store, card.card_id, len(life)))]
    assert names == ["answers", *["withdrawals"] * withdrawn]


@pytest.mark.parametrize("spent", [True, False])
def test_a_card_that_is_over_leaves_no_holder_nothing_in_the_vault_and_cools_down_when_codes_were_spent(store, spent):
    """CB-09, CB-19, CB-20: all in the transaction that ends it."""
    hold("usr_1", "fingerprint 1")
    card = lived([*DECLINED[:5], *([changes.CodeTried(at=BOUND + 5)] if spent else [])], "crd_of_usr_1")
    sealed = Sealed("1", b"key", b"number")
    with Commit(uuid.uuid4().hex) as commit:
        vault_rows.add_parts(commit, card.card_id, {vault_rows.NUMBER: sealed})
    assert fetch(vault_rows.sealed(card.card_id)) == {vault_rows.NUMBER: sealed}

    with Commit(uuid.uuid4().hex) as commit:
        over = card_end_rows.add_end(commit, card, changes.Ended(at=BOUND + 6, state="cancelled"))

    assert (over.state, fetch(card_rows.head(card.card_id)).state) == ("cancelled", "cancelled")
    assert (held("fingerprint 1"), fetch(vault_rows.sealed(card.card_id))) == ({}, None)
    tries = fetch(limit_rows.tries({"user": ["usr_1"]}, [("usr_1", "fingerprint 1")]))
    assert tries.cools_until == ([BOUND + 6 + 24 * HOUR] if spent else [])


def test_the_event_says_what_the_owner_reads(store):
    """CB-11, CB-15: the text of the state, brand and last four digits; never the bank's reason."""
    card = lived(REMOVED)
    [linked] = card_stream.events_of(image(store, card.card_id, 12))
    assert linked.facts == {
        "revision": 12,
        "state": "active",
        "brand": "Visa",
        "last4": "4242",
        "text": "Visa ending 4242 is now linked. You can pay with it.",
    }
    assert "of the bank" not in repr(
        [card_stream.events_of(image(store, card.card_id, number)) for number in range(1, 17)]
    )


def test_heads_holders_and_limits_mean_nothing_to_anybody(store):
    """XX-03: only changes are followed."""
    lived(REMOVED[:3])
    hold("usr_1")
    commit = Commit(fresh())
    limit_rows.count_try(commit, fetch(limit_rows.tries({"user": ["usr_1"]})), BOUND)
    commit.send()
    others = [row for row in store.rows("cards") if not row["sk"]["S"].isdigit()]
    assert {row["sk"]["S"] for row in others} == {"#", "holders", "limit"}
    assert all(card_stream.messages(row) == card_stream.events_of(row) == [] for row in others)


def test_a_user_s_cards_are_listed_newest_first_page_by_page():
    """Ids are time-ordered or not: the index orders by id, and nobody else's cards are among them."""
    ids = [f"crd_{number:032x}" for number in range(7)]
    for card_id in ids:
        bound(binding(), card_id)
    bound(binding(owner="usr_2"))
    seen, before = [], ""
    while True:
        page, before = card_rows.summaries("usr_1", before=before, limit=3)
        seen += [card.card_id for card in page]
        if not before:
            break
    assert seen == ids[::-1]
