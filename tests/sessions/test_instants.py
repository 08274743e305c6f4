"""Days and times are read as people write them, and what is none is refused."""

from __future__ import annotations

from datetime import date, time

import pytest

from sessions.instants import read_clock, read_day, read_instant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-27T14:10", "2026-11-27T14:10:00"),
        ("2026-11-27 14:10:05", "2026-11-27T14:10:05"),
        ("27/11/2026 14:10", "2026-11-27T14:10:00"),
        ("27/11/2026 à 14h10", "2026-11-27T14:10:00"),
        ("7.3.2027, 9.05", "2027-03-07T09:05:00"),
        ("22/11/2026 14:10:05", "2026-11-22T14:10:05"),
        ("31/03/2027", "2027-03-31T00:00:00"),
    ],
)
def test_an_instant_is_read(text: str, at: str) -> None:
    assert read_instant(text).isoformat() == at


@pytest.mark.parametrize(
    "text", ["", "31/02/2027", "27/11/2026 25:00", "27/11/26", "hier", "27/11/2026 14:10 x"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_instant(text)


def test_a_day_and_a_clock_are_read() -> None:
    assert read_day("31/03/2027") == read_day("2027-03-31") == read_day("31.3.2027") == date(2027, 3, 31)
    assert read_clock("14h10") == read_clock("14.10") == read_clock("14:10") == time(14, 10)
    assert read_clock("14 h") == time(14)
    for text in ("31/03/2027 x", "2027", ""):
        with pytest.raises(ValueError):
            read_day(text)
