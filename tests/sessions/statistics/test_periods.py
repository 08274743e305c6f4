"""Local days, whole months, and what a period is compared with."""

from __future__ import annotations

from datetime import date

import pytest

from sessions.statistics.calendar import hours_of, span_of
from sessions.statistics.periods import Period, UnreadablePeriod, month_before


def period(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("given", "before"),
    [
        (("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30")),
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        (("2026-10-05", "2026-10-11"), ("2026-09-28", "2026-10-04")),
        (("2026-10-01", "2026-10-30"), ("2026-09-01", "2026-09-30")),
    ],
)
def test_a_period_is_compared_with_as_much_right_before_it(
    given: tuple[str, str], before: tuple[str, str]
) -> None:
    assert period(*given).previous == period(*before)


@pytest.mark.parametrize(
    ("given", "known", "before"),
    [
        # On 28 November: the same days of October.
        (("2026-11-01", "2026-11-30"), ("2026-11-01", "2026-11-25"), ("2026-10-01", "2026-10-25")),
        # February has no 30 days to compare with.
        (("2026-03-01", "2026-03-31"), ("2026-03-01", "2026-03-30"), ("2026-01-30", "2026-02-28")),
        (("2026-11-20", "2026-11-28"), ("2026-11-20", "2026-11-25"), ("2026-11-11", "2026-11-16")),
        # Figures that begin in the middle.
        (("2026-11-01", "2026-11-30"), ("2026-11-11", "2026-11-30"), ("2026-10-22", "2026-11-10")),
        (("2026-11-01", "2026-11-30"), ("2026-11-01", "2026-11-30"), ("2026-10-01", "2026-10-31")),
    ],
)
def test_what_is_known_of_a_period_is_compared_with_as_many_days(
    given: tuple[str, str], known: tuple[str, str], before: tuple[str, str]
) -> None:
    found = period(*given).before(period(*known))
    assert found == period(*before)
    assert given == known or found.days == period(*known).days


@pytest.mark.parametrize(
    ("given", "known", "year_before"),
    [
        (("2026-10-01", "2026-10-31"), ("2026-10-01", "2026-10-31"), ("2025-10-01", "2025-10-31")),
        # On 28 November: as many days of the November before.
        (("2026-11-01", "2026-11-30"), ("2026-11-01", "2026-11-25"), ("2025-11-01", "2025-11-25")),
        # A February of 29 days is compared with one of 28, by day; a part of it with as many days.
        (("2028-02-01", "2028-02-29"), ("2028-02-01", "2028-02-29"), ("2027-02-01", "2027-02-28")),
        (("2028-02-20", "2028-03-10"), ("2028-02-20", "2028-03-10"), ("2027-02-20", "2027-03-11")),
        (("2028-02-29", "2028-03-02"), ("2028-02-29", "2028-03-02"), ("2027-03-01", "2027-03-03")),
        (("2026-01-01", "2026-12-31"), ("2026-01-01", "2026-12-31"), ("2025-01-01", "2025-12-31")),
    ],
)
def test_the_year_before_is_the_same_days_and_as_many(
    given: tuple[str, str], known: tuple[str, str], year_before: tuple[str, str]
) -> None:
    assert period(*known).year_before(within=period(*given)) == period(*year_before)


def test_a_period_knows_its_months() -> None:
    winter = period("2026-11-15", "2027-01-31")
    assert winter.months == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]
    assert [winter.holds(month) for month in winter.months] == [False, True, True]


@pytest.mark.parametrize(("first", "last"), [("2026-10-02", "2026-10-01"), ("2020-01-01", "2026-01-01")])
def test_what_is_no_period_is_refused(first: str, last: str) -> None:
    with pytest.raises(UnreadablePeriod):
        period(first, last)


def test_the_month_before_is_whole() -> None:
    assert month_before(date(2026, 1, 1)) == period("2025-12-01", "2025-12-31")
    assert month_before(date(2026, 3, 31)) == period("2026-02-01", "2026-02-28")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-14", 24)])
def test_a_local_day_is_as_long_as_its_hours(day: str, hours: int) -> None:
    spans = list(hours_of(date.fromisoformat(day), "Europe/Paris"))
    assert len(spans) == hours
    assert span_of(date.fromisoformat(day), "Europe/Paris").seconds == sum(span.seconds for _, span in spans)
    assert [hour for hour, _ in spans] == sorted(hour for hour, _ in spans)
