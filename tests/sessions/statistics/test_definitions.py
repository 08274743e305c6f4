"""What every figure means."""

from __future__ import annotations

import ast
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sessions.statistics import definitions
from sessions.statistics.definitions import Stay, at_once, median_rate, rate_class, share_at_least, visits

MIDNIGHT = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
DAY = timedelta(days=1)
# What each version of the definitions computes: a digest of the code, its texts left out. A version is never changed.
KNOWN = {
    "2026-1": "4b788791423d866ab00a4ff682f3ab2b267d78b946d1e2f8079b9395f9f8c70a",
    "2026-2": "ce4c386e79b6f832bc7ca4b105c35f8d572d858ae23e9bd4e5d5cacfcd5d0d10",
}


def stay(start: float, end: float, device: str = "a") -> Stay:
    """From and to in hours after midnight."""
    return Stay(device, MIDNIGHT + timedelta(hours=start), MIDNIGHT + timedelta(hours=end))


def count(*stays: Stay) -> int:
    return len(visits(stays, start=MIDNIGHT, end=MIDNIGHT + DAY))


def test_who_changes_a_definition_gives_it_a_new_version() -> None:
    source = Path(definitions.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    assert KNOWN[definitions.VERSION] == hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def test_a_visit_goes_on_through_absences_of_less_than_an_hour() -> None:
    assert count(stay(10, 10.5), stay(11.49, 12)) == 1
    assert count(stay(10, 10.5), stay(11.5, 12)) == 2


def test_each_device_makes_visits_of_its_own() -> None:
    assert count(stay(10, 11, "a"), stay(10, 11, "b")) == 2


def test_a_visit_counts_on_the_day_it_began() -> None:
    assert count(stay(-0.5, 2)) == 0
    assert count(stay(-2, -0.5), stay(0.4, 1)) == 0
    assert count(stay(-2, -0.6), stay(0.4, 1)) == 1
    assert count(stay(24, 25)) == 0


def test_a_long_stay_covers_the_short_ones_inside_it() -> None:
    assert count(stay(8, 12), stay(9, 9.1), stay(12.9, 13)) == 1


def test_clients_at_once_are_counted_at_full_five_minutes() -> None:
    end = MIDNIGHT + timedelta(minutes=20)
    minute = 1 / 60
    assert at_once([stay(0, 5 * minute)], start=MIDNIGHT, end=end) == [1, 0, 0, 0]
    assert at_once([stay(1 * minute, 5.5 * minute)], start=MIDNIGHT, end=end) == [0, 1, 0, 0]
    assert at_once([stay(1 * minute, 4 * minute)], start=MIDNIGHT, end=end) == [0, 0, 0, 0]
    assert at_once([stay(-1, 1), stay(0.2, 3)], start=MIDNIGHT, end=end) == [1, 1, 1, 2]


@pytest.mark.parametrize(("hours", "marks"), [(23, 276), (24, 288), (25, 300)])
def test_a_day_has_as_many_marks_as_it_has_minutes(hours: int, marks: int) -> None:
    assert len(at_once([], start=MIDNIGHT, end=MIDNIGHT + timedelta(hours=hours))) == marks


def test_a_rate_falls_into_the_class_that_begins_with_it() -> None:
    assert definitions.RATE_CLASSES[rate_class(15_000)] == 15_000
    assert definitions.RATE_CLASSES[rate_class(14_999)] == 12_500
    assert rate_class(-1) == rate_class(0) == 0
    assert rate_class(10**9) == len(definitions.RATE_CLASSES) - 1


def rates(*kbps: int) -> list[int]:
    counts = [0] * len(definitions.RATE_CLASSES)
    for one in kbps:
        counts[rate_class(one)] += 1
    return counts


def test_the_median_lies_in_the_class_of_the_one_in_the_middle() -> None:
    assert median_rate(rates()) is None
    found = median_rate(rates(100, 16_000, 90_000))
    assert found is not None and 15_000 <= found < 17_500
    # Half of one class of one: its middle.
    assert median_rate(rates(4_100)) == 4_500
    assert median_rate(rates(200_000)) == 100_000


def test_the_share_above_the_rate_wanted_is_exact() -> None:
    assert share_at_least(rates(14_999, 15_000, 80_000, 3), 15_000) == 0.5
    assert share_at_least(rates(), 15_000) is None


def test_availability_is_asked_only_of_what_was_wanted() -> None:
    assert definitions.availability(expected_seconds=0, outage_seconds=0) is None
    assert definitions.availability(expected_seconds=7200, outage_seconds=1800) == 0.75


def test_a_made_up_address_says_so_itself() -> None:
    assert definitions.is_random("02:00:00:00:00:01")
    assert definitions.is_random("da:a1:19:00:00:01")
    assert not definitions.is_random("00:1b:63:00:00:01")
