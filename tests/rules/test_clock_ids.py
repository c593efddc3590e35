"""Instants as RFC 3339 text, time-ordered ids (UUID version 7), and ids derived from what they stand for."""

import re
import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from billfold import clock, ids

many = settings(max_examples=500, derandomize=True, database=None, deadline=None)


@many
@given(st.integers(0, 253_402_300_799_999))
@example(1_795_460_400_001)
@example(1_763_921_411_001)
def test_an_instant_survives_being_written_and_read(instant):
    """To the millisecond, for every year that RFC 3339 can write; a float in between would lose some."""
    text = clock.to_text(instant)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert clock.from_text(text) == instant


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T19:00:00+01:00", "2026-11-23T18:00:00Z", "2026-11-23T18:00:00.000Z", "2026-11-23t13:30:00-04:30"],
)
def test_offsets_name_the_same_instant(text):
    """An hour east of Greenwich is an hour earlier in UTC."""
    assert clock.to_text(clock.from_text(text)) == "2026-11-23T18:00:00.000Z"


def test_what_is_finer_than_a_millisecond_is_cut_off():
    """A terminal may sign with microseconds; we keep milliseconds, never rounding into the future."""
    assert clock.from_text("2026-11-23T18:00:00.001999Z") == clock.from_text("2026-11-23T18:00:00.001Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T18:00:00",
        "2026-11-23 18:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-W48-1T18:00:00Z",
        "20261123T180000Z",
        "2026-11-23T18:00Z",
        "2026-11-23T18Z",
        "2026-11-23T18:00:00,5Z",
        "2026-11-23T18:00:00+01:00:30",
        "2026-11-23T25:00:00Z",
    ],
)
def test_what_is_no_rfc_3339_instant_is_refused(text):
    """Other ISO 8601 forms included: two readings of one text would be two instants under one signature."""
    with pytest.raises(ValueError, match=r"RFC 3339|must be in|out of range"):
        clock.from_text(text)


def test_a_fresh_id_is_a_uuid_of_version_7():
    """RFC 9562: 48 bits of milliseconds, the version, and the variant, where they belong."""
    now = 0x0199_1234_5678
    prefix, _, digits = ids.new("bil", now).partition("_")
    value = uuid.UUID(digits)
    assert (prefix, len(digits)) == ("bil", 32)
    assert (value.version, value.variant) == (7, uuid.RFC_4122)
    assert value.int >> 80 == now


def test_fresh_ids_sort_by_time_and_never_repeat():
    """Ids of later milliseconds sort later, which the lists of bills lean on; 74 random bits part those of one."""
    made = [ids.new("bil", now) for now in (1, 2, 2**32, 1_795_460_400_000, 2**48 - 1)]
    assert made == sorted(made)
    assert len({ids.new("bil", 7) for _ in range(5_000)}) == 5_000


def test_every_random_bit_of_a_fresh_id_varies():
    """A shifted mask would freeze bits: over 200 ids, each of the 74 random bits is seen as 0 and as 1."""
    values = [int(ids.new("bil", 0).removeprefix("bil_"), 16) for _ in range(200)]
    ones, zeros = 0, 0
    for value in values:
        ones, zeros = ones | value, zeros | ~value
    random_bits = ((1 << 12) - 1) << 64 | (1 << 62) - 1
    assert (ones & zeros & (1 << 128) - 1) == random_bits


@many
@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
@example(["ab", "c"], ["a", "bc"])
@example(["1:a"], ["", "a"])
@example(["a", ""], ["a"])
@example(["1:a1:b"], ["a", "b"])
@example(["é"], ["Ã©"])
def test_derived_ids_are_equal_exactly_when_all_parts_are(one, other):
    """LG-04: an operation's id depends on where each part ends, so no two operations share one."""
    assert (ids.derived("trf", *one) == ids.derived("trf", *other)) == (one == other)


def test_a_derived_id_has_the_shape_of_a_fresh_one():
    """Prefix and 32 hexadecimal digits, the same in every process and for ever (a change would post twice)."""
    assert ids.derived("trf", "usr_1", "POST", "/v1/transfers", "key") == ids.derived(
        "trf", "usr_1", "POST", "/v1/transfers", "key"
    )
    assert ids.derived("trf", "a", "b") == "trf_facdde7abf1eac5b301273ab2e282f79"  # sha256sum of 1:a1:b
    assert ids.derived("opr", "a", "b").partition("_")[2] == ids.derived("trf", "a", "b").partition("_")[2]


@pytest.mark.parametrize("text", ["2016-12-31T23:59:60Z", "2017-01-01T08:59:60+09:00", "2016-12-31T18:29:60.000-05:30"])
def test_a_leap_second_is_understood(text):
    """D18: RFC 3339 has it; like POSIX it counts as the first second of the day that follows."""
    assert clock.to_text(clock.from_text(text)) == "2017-01-01T00:00:00.000Z"
    assert clock.from_text(text.replace(":60", ":60.250", 1) if "." not in text else text) - clock.from_text(text) in (
        0,
        250,
    )


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:58:60Z", "2016-12-31T12:30:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z"]
)
def test_a_sixtieth_second_anywhere_else_is_none(text):
    """D18: it ends a day in UTC, wherever the clock that says it stands."""
    with pytest.raises(ValueError, match=r"leap second|RFC 3339|second must be|unconverted"):
        clock.from_text(text)
