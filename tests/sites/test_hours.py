"""Opening hours: what is refused, and what they mean on ordinary days, holidays and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.holidays import ZONES, easter_sunday, last_school_holiday, public_holidays, school_holidays
from sites.opening_hours import Hours, InvalidHours, closing, is_open, next_midnight, opening, parse, spans_on

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
    week = [date(2026, 11, 23) + timedelta(days=number) for number in range(7)]
    assert [bool(spans_on(hours, day)) for day in week] == [True, False, False, False, False, True, True]


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
        ("Mo-Fr 9h-18h", "Mo-Fr 9h-18h"),
        ("Mo-Fr", "is not like"),
        ("SH-PH off", "SH-PH"),
        ("Sa[6] 10:00-12:00", "Sa\\[6\\]"),
        ("SH PH off", "SH PH"),
        ("Mo-Fr SH off", "Mo-FrSH"),
        ("Feb 30 off", "Feb 30"),
        ("Jui-Aug off", "Jui-Aug"),
        ("2027 Jan 03-2026 Dec 24 off", "ends before it begins"),
        ("Dec 24-2027 Jan 03 off", "year at its end alone"),
        ("week 1-53/2 Fr 09:00-12:00", "week"),
        ("easter off", "easter"),
        ("Mo 09:00+", "is not like"),
        ('Mo 09:00-12:00 || "fermé"', "are no days"),
        ("Mo ٠٩:00-10:00", "10:00"),
    ],
)
def test_it_refuses_what_is_not_opening_hours_and_says_which_part(text: str, word: str) -> None:
    with pytest.raises(InvalidHours, match=word):
        parse(text)


@pytest.mark.parametrize(
    ("text", "day", "spans"),
    [
        ("7:00-22:00", "2026-11-23", ((420, 1320),)),
        ("Mo–Fr 09:00–18:00", "2026-11-23", ((540, 1080),)),
        ("Mo-Fr\u00a09:00 - 12:00, 14:00 - 18:00", "2026-11-23", ((540, 720), (840, 1080))),
        ("24/7; PH off", "2026-11-23", ((0, 1440),)),
        ("24/7; PH off", "2026-11-11", ()),
        ("24/7; Su off", "2026-11-22", ()),
        ("Mo-Fr 09:00-12:00, We 14:00-18:00", "2026-11-25", ((540, 720), (840, 1080))),
        ("Mo-Fr 09:00-12:00, We 14:00-18:00", "2026-11-24", ((540, 720),)),
        ("Mo-Fr 09:00-12:00, Sa 10:00-11:00", "2026-11-21", ((600, 660),)),
        ("Mo-Fr 09:00-12:00; We 14:00-18:00", "2026-11-25", ((840, 1080),)),
        ("PH,Su off, Sa 10:00-12:00", "2026-11-21", ((600, 720),)),
        ("Mo-Sa 09:00-12:00; PH,Su off", "2026-11-11", ()),
        ("PH off; Mo-Su 09:00-12:00", "2026-11-11", ()),
        ('Mo-Fr 09:00-12:00 "sur rendez-vous"', "2026-11-23", ((540, 720),)),
        ('Mo-Fr 09:00-12:00; Fr "sur rendez-vous"', "2026-11-27", ()),
        ('"sur rendez-vous"', "2026-11-27", ()),
        ("Sa[1,3] 10:00-12:00", "2026-11-07", ((600, 720),)),
        ("Sa[1,3] 10:00-12:00", "2026-11-14", ()),
        ("Sa[1,3] 10:00-12:00", "2026-11-21", ((600, 720),)),
        ("Sa[-1] 10:00-12:00", "2026-11-28", ((600, 720),)),
        ("Sa[-1] 10:00-12:00", "2026-11-21", ()),
        ("Mo-Fr 09:00-19:00; Jul-Aug Mo-Fr 10:00-17:00", "2027-07-01", ((600, 1020),)),
        ("Mo-Fr 09:00-19:00; Jul-Aug Mo-Fr 10:00-17:00", "2027-06-30", ((540, 1140),)),
        ("Mo-Fr 09:00-19:00; Jul-Aug: off", "2027-08-31", ()),
        ("Oct-Mar: Mo-Fr 09:00-17:00", "2027-01-04", ((540, 1020),)),
        ("Oct-Mar: Mo-Fr 09:00-17:00", "2027-05-04", ()),
        ("24/7; Dec 24-Jan 02 off", "2027-01-01", ()),
        ("24/7; Dec 24, Dec 31 off", "2026-12-31", ()),
        ("24/7; Dec 24, Dec 31 off", "2026-12-30", ((0, 1440),)),
        ("24/7; Jul 14-16 off", "2027-07-16", ()),
        ("24/7; 2026 Dec 24-2027 Jan 03 off", "2027-01-03", ()),
        ("24/7; 2026 Dec 24-Jan 03 off", "2027-01-03", ()),
        ("24/7; 2026 Dec 24-2027 Jan 03 off", "2027-12-25", ((0, 1440),)),
        ("24/7; Feb off", "2028-02-29", ()),
    ],
)
def test_it_reads_hours_as_people_write_them_on_maps(
    text: str, day: str, spans: tuple[tuple[int, int], ...]
) -> None:
    assert spans_on(parse(text), date.fromisoformat(day)) == spans


@pytest.mark.parametrize(
    ("text", "day", "is_there"),
    [
        # Zone A begins its winter holidays of 2027 before zone C; both have Christmas.
        ("Mo-Sa 09:00-12:00; SH off", "2027-02-15", False),
        ("SH off; Mo-Sa 09:00-12:00", "2027-02-15", False),
        ("Mo-Sa 09:00-12:00; SH off", "2027-02-08", True),
        ("Mo-Sa 09:00-12:00; SH Sa off", "2027-02-15", True),
        ("Mo-Sa 09:00-12:00; SH Sa off", "2027-02-20", False),
        ("Sa 09:00-12:00; SH Mo-Fr 14:00-17:00", "2027-02-15", True),
        ("Sa 09:00-12:00; SH Mo-Fr 14:00-17:00", "2027-02-20", True),
        ("PH,SH off; Mo-Sa 09:00-12:00", "2026-11-11", False),
        ("SH 09:00-12:00; PH off", "2026-12-25", False),
        ("SH 09:00-12:00; PH off", "2026-12-24", True),
    ],
)
def test_school_holidays_are_those_of_the_zone(text: str, day: str, is_there: bool) -> None:
    assert bool(spans_on(parse(text, "A"), date.fromisoformat(day))) is is_there


def test_zones_have_their_own_school_holidays() -> None:
    assert school_holidays("A") != school_holidays("B") != school_holidays("C")
    assert all(date(2026, 12, 25) in school_holidays(zone) for zone in ZONES)
    assert school_holidays("") == frozenset()
    # A year ahead at least: else the list wants a newer version.
    assert last_school_holiday() >= date(2027, 8, 31)


@given(
    st.lists(
        st.sampled_from(
            [
                "Mo",
                "-",
                "Fr",
                ",",
                ";",
                " ",
                "PH",
                "SH",
                "off",
                "24/7",
                "09:00",
                "7:00",
                "[1]",
                "Jul",
                "31",
                "2027",
                ":",
                '"x"',
            ]
        ),
        max_size=9,
    )
)
def test_whatever_is_written_is_read_or_refused(parts: list[str]) -> None:
    """And what is read has an answer for every day."""
    try:
        found = parse("".join(parts), "B")
    except InvalidHours:
        return
    for day in (date(2027, 2, 28), date(2028, 2, 29), date(2027, 12, 31)):
        assert all(0 <= start < end <= 2 * 24 * 60 for start, end in spans_on(found, day))


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
