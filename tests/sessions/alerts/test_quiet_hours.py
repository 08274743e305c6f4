from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sessions.alerts.quiet_hours import QuietHours, read_time, write_time

PARIS = ZoneInfo("Europe/Paris")
NIGHT = QuietHours(22 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("hour", "minute", "is_quiet"),
    [
        (21, 59, False),
        (22, 0, True),
        (23, 59, True),
        (0, 0, True),
        (6, 59, True),
        (7, 0, False),
        (12, 0, False),
    ],
)
def test_a_night_goes_over_midnight(hour: int, minute: int, is_quiet: bool) -> None:
    assert NIGHT.hold(datetime(2026, 11, 29, hour, minute, tzinfo=PARIS), PARIS) is is_quiet


@pytest.mark.parametrize(("hour", "is_quiet"), [(11, False), (12, True), (13, True), (14, False)])
def test_hours_of_one_day(hour: int, is_quiet: bool) -> None:
    assert QuietHours(720, 840).hold(datetime(2026, 11, 29, hour, tzinfo=PARIS), PARIS) is is_quiet


def test_they_go_by_the_towns_clocks_in_summer_and_winter() -> None:
    assert not NIGHT.hold(datetime(2026, 7, 1, 19, 59, tzinfo=UTC), PARIS)
    assert NIGHT.hold(datetime(2026, 7, 1, 20, 0, tzinfo=UTC), PARIS)
    assert not NIGHT.hold(datetime(2026, 12, 1, 20, 0, tzinfo=UTC), PARIS)


@pytest.mark.parametrize(
    ("text", "minute"), [("22:00", 1320), ("7h", 420), ("07.30", 450), ("0:05", 5), (" 22 h ", 1320)]
)
def test_times_as_people_write_them(text: str, minute: int) -> None:
    assert read_time(text) == minute
    assert read_time(write_time(minute)) == minute


@pytest.mark.parametrize("text", ["", "24:00", "7", "7:60", "noon", "-1:00", "7:5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_time(text)
