"""Opening hours: what is refused, and what they mean on ordinary days, holidays and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.holidays import easter_sunday, public_holidays
from sites.hours import (
    Hours,
    InvalidHours,
    closing,
    is_open,
    next_midnight,
    opening,
    parse,
    spans_on,
)

PARIS = ZoneInfo("Europe/Paris")
LIBRARY = parse("Mo-Fr 09:00-18:30; Sa 10:00-12:00,14:00-17:00; PH off")


def paris(text: str) -> datetime:
    """An instant from a Paris wall clock, or from text with its own offset."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=PARIS)).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "claim"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00:00", True),
        ("2026-11-20 18:29:59", True),
        ("2026-11-20 18:30:00", False),
        ("2026-11-21 11:00", True),
        ("2026-11-21 12:00", False),
        ("2026-11-21 14:00", True),
        ("2026-11-22 11:00", False),
        ("2026-11-11 11:00", False),
        ("2026-12-25 11:00", False),
    ],
)
def test_it_is_open_from_the_first_minute_to_before_the_last(at: str, claim: bool) -> None:
    assert is_open(LIBRARY, paris(at), PARIS) is claim


def test_it_closes_at_the_end_of_the_span_it_is_in() -> None:
    assert closing(LIBRARY, paris("2026-11-21 11:00"), PARIS) == paris("2026-11-21 12:00")
    assert closing(LIBRARY, paris("2026-11-21 14:00"), PARIS) == paris("2026-11-21 17:00")
    assert closing(LIBRARY, paris("2026-11-21 13:00"), PARIS) is None


def test_it_gives_instants_in_utc() -> None:
    closes = closing(LIBRARY, paris("2026-11-20 12:00"), PARIS)
    assert closes is not None
    assert closes.tzinfo is UTC
    assert closes.isoformat() == "2026-11-20T17:30:00+00:00"


def test_it_opens_next_after_the_weekend_and_the_holiday() -> None:
    assert opening(LIBRARY, paris("2026-11-21 17:00"), PARIS) == paris("2026-11-23 09:00")
    assert opening(LIBRARY, paris("2026-12-24 18:30"), PARIS) == paris("2026-12-26 10:00")
    assert opening(LIBRARY, paris("2026-11-20 12:00"), PARIS) is None


def test_it_never_closes_when_it_is_always_open() -> None:
    for text in ("24/7", "Mo-Su 00:00-24:00", "00:00-24:00"):
        hours = parse(text)
        assert is_open(hours, paris("2026-11-22 03:00"), PARIS)
        assert closing(hours, paris("2026-11-22 03:00"), PARIS) is None
        assert opening(hours, paris("2026-11-22 03:00"), PARIS) is None


def test_it_never_opens_when_it_is_always_off() -> None:
    hours = parse("off")
    assert not is_open(hours, paris("2026-11-22 03:00"), PARIS)
    assert opening(hours, paris("2026-11-22 03:00"), PARIS) is None
    assert closing(hours, paris("2026-11-22 03:00"), PARIS) is None


def test_it_closes_for_the_holiday_after_months_of_being_open() -> None:
    hours = parse("Mo-Su 00:00-24:00; PH off")
    assert closing(hours, paris("2027-01-02 12:00"), PARIS) == paris("2027-03-29 00:00")


def test_it_stays_open_past_midnight() -> None:
    hours = parse("Fr,Sa 22:00-02:00")
    assert closing(hours, paris("2026-11-20 23:00"), PARIS) == paris("2026-11-21 02:00")
    assert closing(hours, paris("2026-11-21 01:59"), PARIS) == paris("2026-11-21 02:00")
    assert not is_open(hours, paris("2026-11-21 02:00"), PARIS)
    assert not is_open(hours, paris("2026-11-20 01:00"), PARIS)


def test_it_takes_touching_spans_as_one() -> None:
    hours = parse("Mo-Su 18:00-24:00; Tu 00:00-06:00")
    assert closing(hours, paris("2026-11-23 20:00"), PARIS) == paris("2026-11-24 06:00")


def test_a_later_rule_replaces_an_earlier_one() -> None:
    hours = parse("Mo-Su 09:00-18:00; We 10:00-12:00; PH 14:00-16:00")
    assert spans_on(hours, date(2026, 11, 25)) == ((600, 720),)
    assert spans_on(hours, date(2026, 11, 24)) == ((540, 1080),)
    assert spans_on(hours, date(2026, 11, 11)) == ((840, 960),)


def test_a_range_of_days_may_go_over_sunday() -> None:
    hours = parse("Sa-Mo 09:00-10:00")
    assert [bool(spans) for spans in hours.week] == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(
    ("at", "closes", "hours_left"),
    [
        ("2026-10-24 20:00", "2026-10-25 06:00", 11),  # the night with 25 hours
        ("2027-03-27 20:00", "2027-03-28 06:00", 9),  # the night with 23 hours
    ],
)
def test_a_night_is_as_long_as_the_clocks_make_it(at: str, closes: str, hours_left: int) -> None:
    found = closing(parse("20:00-06:00"), paris(at), PARIS)
    assert found == paris(closes)
    assert found - paris(at) == timedelta(hours=hours_left)


def test_in_the_hour_that_comes_twice_it_opens_first_and_closes_last() -> None:
    hours = parse("Su 02:15-02:45")
    assert opening(hours, paris("2026-10-25 01:00"), PARIS) == paris("2026-10-25 02:15+02:00")
    assert closing(hours, paris("2026-10-25 02:30+02:00"), PARIS) == paris("2026-10-25 02:45+01:00")


def test_in_the_hour_that_is_skipped_the_old_clock_counts() -> None:
    assert closing(parse("Su 01:30-02:30"), paris("2027-03-28 01:45"), PARIS) == paris("2027-03-28 03:30")
    assert opening(parse("Su 02:30-03:00"), paris("2027-03-28 01:00"), PARIS) == paris("2027-04-04 02:30")


@pytest.mark.parametrize(
    ("at", "midnight", "length"),
    [
        ("2026-10-25 00:00", "2026-10-26 00:00", 25),
        ("2027-03-28 00:00", "2027-03-29 00:00", 23),
        ("2026-11-22 00:00", "2026-11-23 00:00", 24),
    ],
)
def test_the_next_midnight_ends_the_local_day(at: str, midnight: str, length: int) -> None:
    assert next_midnight(paris(at), PARIS) == paris(midnight)
    assert next_midnight(paris(at), PARIS) - paris(at) == timedelta(hours=length)


def test_the_next_midnight_is_of_the_local_day_and_not_of_utc() -> None:
    assert next_midnight(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), PARIS) == paris("2026-11-24 00:00")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is not like"),
        ("Lu-Ve 09:00-18:00", "Lu-Ve"),
        ("Mo-Fr 9:00-18:00", "9:00-18:00"),
        ("Mo-Fr 09:00-25:00", "09:00-25:00"),
        ("Mo-Fr 09:60-18:00", "09:60"),
        ("Mo-Fr 24:00-18:00", "24:00"),
        ("Mo 09:00-09:00", "empty"),
        ("Mo 09:00-12:00,11:00-14:00", "overlap"),
        ("Mo 09:00", "09:00"),
        ("Mo-We-Fr 09:00-10:00", "Mo-We-Fr"),
        ("Mo-PH 09:00-10:00", "Mo-PH"),
        ("Mo-Fr 09:00-18:00;;Sa off", "is not like"),
        ("sunrise-sunset", "is not like"),
        ("24/7; PH off", "24/7"),
        ("Mo ٠٩:00-10:00", "is not like"),
    ],
)
def test_it_refuses_what_is_not_opening_hours_and_says_which_part(text: str, word: str) -> None:
    with pytest.raises(InvalidHours, match=word):
        parse(text)


def test_it_refuses_an_instant_without_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        is_open(LIBRARY, datetime.fromisoformat("2026-11-20 12:00"), PARIS)


def test_it_knows_the_moving_holidays() -> None:
    assert [easter_sunday(year) for year in (2024, 2026, 2027, 2038)] == [
        date(2024, 3, 31),
        date(2026, 4, 5),
        date(2027, 3, 28),
        date(2038, 4, 25),
    ]
    assert {date(2026, 4, 6), date(2026, 5, 14), date(2026, 5, 25)} < public_holidays(2026)
    assert len(public_holidays(2026)) == 11


@given(
    minutes=st.integers(0, 60 * 24 * 800),
    text=st.sampled_from(
        [
            "Mo-Fr 09:00-18:30; Sa 10:00-12:00,14:00-17:00; PH off",
            "20:00-06:00",
            "Su 01:00-02:30",
            "Fr 22:00-24:00",
        ]
    ),
)
def test_open_and_closed_take_turns(minutes: int, text: str) -> None:
    hours: Hours = parse(text)
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    closes, opens = closing(hours, at, PARIS), opening(hours, at, PARIS)
    assert (closes is None) != (opens is None)
    change = closes or opens
    assert change is not None
    assert is_open(hours, at, PARIS) is (closes is not None)
    assert is_open(hours, change - timedelta(microseconds=1), PARIS) is (closes is not None)
    assert is_open(hours, change, PARIS) is (closes is None)
