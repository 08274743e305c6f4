"""Many rows of values in one statement: each value arrives as it was given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Executable,
    Integer,
    String,
    bindparam,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.models import Attempt
from db.base import UtcDateTime
from db.each import ForEach, for_list
from db.prepared import Prepared
from db.statements import table_of
from tests.clock import NOON

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

_attempts = table_of(Attempt)
_SHARED = {"last_at": bindparam("at", type_=UtcDateTime())}


def _added(given: Any) -> Executable:
    return insert(_attempts).values(key=given.key, count=given.count, **_SHARED)


def _added_at_once(given: Any) -> Executable:
    columns = {"key": given.key, "count": given.count, **_SHARED}
    return insert(_attempts).from_select(list(columns), select(*columns.values()))


ADD = ForEach(_added, {"key": String(), "count": Integer()}, build_many=_added_at_once)
TAKE_OUT = ForEach(lambda given: delete(_attempts).where(_attempts.c.key == given.key), {"key": String()})
AMONG = Prepared(
    for_list(lambda given: select(_attempts.c.count).where(_attempts.c.key.in_(given)), "keys", String())
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


@pytest.mark.parametrize("many", [1, 3])
def test_rows_are_written_in_one_call_with_what_they_share(db: Session, many: int) -> None:
    calls: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        calls.append(text)

    event.listen(db.get_bind(), "before_cursor_execute", note)
    try:
        ADD.run(db, [(str(number), number) for number in range(many)], at=INSTANT)
        ADD.run(db, [], at=INSTANT)
    finally:
        event.remove(db.get_bind(), "before_cursor_execute", note)
    assert len(calls) == 1
    written = db.execute(select(_attempts.c.key, _attempts.c.count, _attempts.c.last_at)).all()
    assert sorted(map(tuple, written)) == [(str(number), number, INSTANT) for number in range(many)]


def test_a_row_may_be_one_value_and_share_nothing(db: Session) -> None:
    ADD.run(db, [("a", 1), ("b", 2), ("c", 3)], at=NOON)
    TAKE_OUT.run(db, [("a",), ("c",)])
    assert db.scalars(select(_attempts.c.key)).all() == ["b"]


def test_a_row_that_fails_takes_the_others_back_with_it(db: Session) -> None:
    ADD.run(db, [("kept", 1)], at=NOON)
    with pytest.raises(IntegrityError), db.begin_nested():
        ADD.run(db, [("new", 1), ("kept", 2)], at=NOON)
    assert db.execute(select(_attempts.c.key, _attempts.c.count)).all() == [("kept", 1)]


def test_a_list_goes_as_one_value(db: Session) -> None:
    words = [text for text in TEXTS if text is not None]
    ADD.run(db, [(word, place) for place, word in enumerate(words)], at=NOON)
    ADD.run(db, [("another", 99)], at=NOON)
    found = AMONG.all(db, keys=[*words, "nowhere"])
    assert sorted(found) == [(place,) for place in range(len(words))]
    assert AMONG.all(db, keys=[]) == []
    many = [str(number) for number in range(70_000)]
    assert AMONG.all(db, keys=[*many, "another"]) == [(99,)]
