"""Many rows of values in one statement: each value arrives as it was given."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import BigInteger, Boolean, String, select
from sqlalchemy.orm import Session

from db.base import UtcDateTime
from db.each import ForEach

TEXTS = [
    "plain",
    "",
    "NULL",
    'a "word"',
    r"C:\new",
    '\\"',
    "{1,2}",
    "a,b",
    "two\nlines",
    " edges ",
    "Жé🙂",
    None,
]
INSTANT = datetime(2026, 11, 29, 14, 30, 0, 5, tzinfo=ZoneInfo("Europe/Paris"))
ASKED = ForEach(
    lambda given: select(given.number, given.text, given.truth, given.at),
    {"number": BigInteger(), "text": String(), "truth": Boolean(), "at": UtcDateTime()},
)


def test_what_is_given_comes_back(db: Session) -> None:
    numbers = [0, -1, True, None, 2**63 - 1, -(2**63), *range(6)]
    rows = [
        (number, text, place % 3 == 0, None if place % 2 else INSTANT)
        for place, (number, text) in enumerate(zip(numbers, TEXTS, strict=True))
    ]
    found = ASKED.all(db, rows)
    assert len(found) == len(rows) and set(found) == set(rows)
    assert all(at is None or at.tzinfo is UTC for *_, at in found)
    assert ASKED.all(db, []) == []


def test_an_instant_without_a_zone_is_refused(db: Session) -> None:
    naive = datetime(2026, 11, 29, 14, 30)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        ASKED.all(db, [(0, "", True, INSTANT), (1, "", True, naive)])
