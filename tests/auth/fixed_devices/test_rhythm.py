"""The usual silence of a device: learnt, bounded, and not spoilt by one bad day."""

from __future__ import annotations

from datetime import date, timedelta

from auth.fixed_devices.rhythm import KEPT_DAYS, LEAST, MOST, UNLEARNT, learnt, rhythm_of

DAY = date(2026, 11, 24)


def days(*hours: float) -> dict[str, int]:
    silences: dict[str, int] = {}
    for number, length in enumerate(hours):
        silences = learnt(silences, DAY + timedelta(days=number), timedelta(hours=length))
    return silences


def test_before_three_days_are_known_the_alarm_comes_after_a_day() -> None:
    assert rhythm_of(days(1, 1)).alarm_after == UNLEARNT
    assert rhythm_of(days(1, 1)).usual is None


def test_a_sensor_that_speaks_every_hour_is_missed_after_an_hour_and_a_half() -> None:
    rhythm = rhythm_of(days(1, 1, 1, 1))
    assert (rhythm.usual, rhythm.alarm_after) == (timedelta(hours=1), timedelta(minutes=90))


def test_one_bad_day_makes_no_rule_and_a_second_one_does() -> None:
    assert rhythm_of(days(1, 1, 9, 1)).alarm_after == timedelta(minutes=90)
    assert rhythm_of(days(1, 9, 9, 1)).alarm_after == timedelta(hours=13.5)


def test_the_alarm_is_bounded_both_ways() -> None:
    assert rhythm_of(days(0.01, 0.01, 0.01)).alarm_after == LEAST
    assert rhythm_of(days(100, 100, 100)).alarm_after == MOST


def test_what_is_older_than_two_weeks_is_forgotten_and_the_longest_of_a_day_counts() -> None:
    silences = days(*[5] * 30)
    assert len(silences) == KEPT_DAYS
    last = DAY + timedelta(days=29)
    assert learnt(silences, last, timedelta(hours=1))[last.isoformat()] == 5 * 3600
