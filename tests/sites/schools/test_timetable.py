"""Which class is on when: lessons, holidays, the button and its end; and when a school's wifi is on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sites import opening_hours
from sites.schools.timetable import (
    LENGTHS,
    LONGEST,
    ClassState,
    Press,
    Stop,
    UnofferedLength,
    WifiRule,
    is_on_at,
    on_at,
    state_of,
    switched_off,
    switched_on,
    wifi_on,
)

PARIS = ZoneInfo("Europe/Paris")
HOUR = timedelta(hours=1)
# Besançon is in zone A: its holidays of winter 2026-2027 begin on Saturday 13 February.
BREGILLE = Stop.read("bregille", "Mo,Th 08:30-11:30; PH,SH off", "A", PARIS)
HELVETIE = Stop.read("helvetie", "Tu 13:30-16:30; SH off", "A", PARIS)
VIOTTE = Stop.read("viotte", "", "A", PARIS)
TROLLEY = (BREGILLE, HELVETIE, VIOTTE)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "sites"),
    [
        ("2026-11-30 08:29:59", ()),
        ("2026-11-30 08:30", ("bregille",)),
        ("2026-11-30 11:29:59", ("bregille",)),
        ("2026-11-30 11:30", ()),
        ("2026-12-01 14:00", ("helvetie",)),
        # Wednesday, a public holiday on a Thursday, and school holidays.
        ("2026-12-02 09:00", ()),
        ("2027-05-06 09:00", ()),
        ("2027-02-15 09:00", ()),
    ],
)
def test_a_class_is_on_in_its_lessons_at_the_school_of_the_day(at: str, sites: tuple[str, ...]) -> None:
    state = state_of(TROLLEY, None, paris(at))
    assert (state.on, state.sites, state.by) == (bool(sites), sites, "")


def test_a_class_says_when_it_ends_and_when_it_comes_on_again() -> None:
    assert state_of(TROLLEY, None, paris("2026-11-30 09:00")).until == paris("2026-11-30 11:30")
    assert state_of(TROLLEY, None, paris("2026-11-30 11:30")) == ClassState(False, paris("2026-12-01 13:30"))
    assert state_of((VIOTTE,), None, paris("2026-11-30 09:00")) == ClassState(False)


def test_the_button_switches_a_class_on_at_one_school_for_as_long_as_it_says() -> None:
    now = paris("2026-12-02 10:00")
    press = switched_on(VIOTTE, HOUR, now, "Léa Roy")
    assert state_of(TROLLEY, press, now) == ClassState(True, now + HOUR, "Léa Roy", ("viotte",))
    assert state_of(TROLLEY, press, now + HOUR).on is False
    assert [is_on_at(stop, press, now) for stop in TROLLEY] == [False, False, True]
    # Before it was pressed there is nothing: a press of tomorrow opens nothing today.
    assert not state_of(TROLLEY, press, now - timedelta(seconds=1)).on


def test_a_button_pressed_before_a_lesson_runs_into_it() -> None:
    now = paris("2026-11-30 08:00")
    press = switched_on(BREGILLE, HOUR, now, "Léa Roy")
    assert state_of(TROLLEY, press, now).until == paris("2026-11-30 11:30")
    late = paris("2026-11-30 11:00")
    state = state_of(TROLLEY, switched_on(BREGILLE, HOUR, late, "Léa Roy"), late)
    assert state.until == paris("2026-11-30 12:00")
    # The lesson runs by itself once the button's hour is over.
    assert state_of(TROLLEY, press, paris("2026-11-30 10:00")).by == ""


def test_the_button_is_bounded() -> None:
    late = paris("2026-12-02 23:15")
    assert switched_on(VIOTTE, LONGEST, late, "Léa Roy").until == paris("2026-12-03 00:00")
    assert timedelta(hours=4) >= LONGEST
    for wrong in (timedelta(0), -HOUR, LONGEST + HOUR, timedelta(days=365)):
        assert wrong not in LENGTHS
        with pytest.raises(UnofferedLength):
            switched_on(VIOTTE, wrong, late, "Léa Roy")


def test_whoever_switches_a_class_off_switches_off_the_rest_of_the_lesson_and_not_the_next() -> None:
    now = paris("2026-11-30 09:00")
    press = switched_off(TROLLEY, now, "Léa Roy")
    assert state_of(TROLLEY, press, now) == ClassState(False, paris("2026-12-01 13:30"))
    assert not state_of(TROLLEY, press, paris("2026-11-30 11:29")).on
    assert state_of(TROLLEY, press, paris("2026-12-01 13:30")).on
    outside = switched_off(TROLLEY, paris("2026-12-02 10:00"), "Léa Roy")
    assert outside.until == outside.at


def test_a_day_of_23_hours_has_its_lessons_by_the_wall_clock() -> None:
    sunday = Stop.read("viotte", "Su 08:00-10:00", "A", PARIS)
    at = paris("2027-03-28 08:00")
    assert on_at(sunday, None, at, at + timedelta(days=1)) == [(at, at + 2 * HOUR)]


def test_wifi_follows_the_classes_the_hours_or_nothing() -> None:
    start = paris("2026-11-30 00:00")
    span = (start, start + timedelta(days=1))
    lessons = (paris("2026-11-30 08:30"), paris("2026-11-30 11:30"))
    pressed = switched_on(VIOTTE, HOUR, paris("2026-11-30 11:00"), "Léa Roy")
    classes = [on_at(BREGILLE, None, *span), on_at(VIOTTE, pressed, *span)]
    assert wifi_on(WifiRule.CLASSES, None, PARIS, classes, span) == [(lessons[0], paris("2026-11-30 12:00"))]
    assert wifi_on(WifiRule.CLASSES, None, PARIS, [], span) == []
    hours = opening_hours.parse("Mo-Fr 08:00-17:00", "A")
    assert wifi_on(WifiRule.HOURS, hours, PARIS, classes, span) == [
        (paris("2026-11-30 08:00"), paris("2026-11-30 17:00"))
    ]
    assert wifi_on(WifiRule.ALWAYS, None, PARIS, [], span) == [span]


def test_wifi_goes_off_with_a_class_that_is_switched_off() -> None:
    span = (paris("2026-11-30 08:00"), paris("2026-11-30 18:00"))
    off = switched_off(TROLLEY, paris("2026-11-30 09:00"), "Léa Roy")
    assert on_at(BREGILLE, off, *span) == [(paris("2026-11-30 08:30"), paris("2026-11-30 09:00"))]


def test_an_old_press_says_nothing_any_more() -> None:
    then = paris("2026-11-23 10:00")
    old = Press(True, then, then + HOUR, "Léa Roy", "viotte")
    assert state_of((VIOTTE,), old, paris("2026-11-30 10:30")) == ClassState(False)
