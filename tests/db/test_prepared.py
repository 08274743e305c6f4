"""Statements that are rendered once say the same as SQLAlchemy's own, and fail like them."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest
from sqlalchemy import bindparam, event, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.models import Attempt
from db.engine import make_engine
from db.prepared import Prepared
from db.statements import table_of
from sites.models import Gateway
from tests.clock import NOON

_attempts = table_of(Attempt)
ADD = Prepared(insert(_attempts).returning(_attempts.c.last_at, _attempts.c.count))
LOOK = Prepared(select(_attempts.c.key, _attempts.c.last_at).where(_attempts.c.count >= bindparam("least")))
RAISE = Prepared(
    update(_attempts).where(_attempts.c.key == bindparam("which")).values(count=_attempts.c.count + 2)
)


def test_values_are_converted_on_the_way_in_and_out(db: Session) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert ADD.first(db, key="a", count=1, last_at=elsewhere) == (NOON, 1)
    assert ADD.scalar(db, key="b", count=2, last_at=NOON).tzinfo is UTC
    assert LOOK.all(db, least=2) == [("b", NOON)]
    assert LOOK.first(db, least=3) is None and LOOK.scalar(db, least=3) is None
    with pytest.raises(ValueError, match="time zone"):
        ADD.run(db, key="c", count=1, last_at=NOON.replace(tzinfo=None))


def test_a_truth_value_counts_as_one_where_a_number_stands(db: Session) -> None:
    assert ADD.scalar(db, key="a", count=True, last_at=NOON) == NOON
    assert ADD.first(db, key="b", count=False, last_at=NOON) == (NOON, 0)
    assert LOOK.all(db, least=True) == [("a", NOON)]


def test_what_stands_in_the_statement_goes_with_it_and_matched_rows_are_counted(db: Session) -> None:
    ADD.run(db, key="a", count=1, last_at=NOON)
    assert (RAISE.run(db, which="a"), RAISE.run(db, which="z")) == (1, 0)
    assert db.scalars(select(Attempt.count)).all() == [3]


def test_a_fault_of_the_database_is_sqlalchemys_and_a_savepoint_survives_it(db: Session) -> None:
    ADD.run(db, key="a", count=1, last_at=NOON)
    with pytest.raises(IntegrityError), db.begin_nested():
        ADD.run(db, key="a", count=1, last_at=NOON)
    assert LOOK.all(db, least=1) == [("a", NOON)]


def test_a_value_that_is_missing_is_named(db: Session) -> None:
    with pytest.raises(KeyError, match="least"):
        LOOK.all(db)
    LOOK.all(db, least=1)
    with pytest.raises(KeyError, match="least"):
        LOOK.all(db)


def test_a_list_and_a_default_of_python_are_not_for_it(db: Session) -> None:
    one_of = select(_attempts.c.key).where(_attempts.c.key.in_(bindparam("keys", expanding=True)))
    with pytest.raises(TypeError, match="a list or a default"):
        Prepared(one_of).all(db, keys=["a"])
    defaulted = insert(table_of(Gateway))
    with pytest.raises(TypeError, match="a list or a default"):
        Prepared(defaulted).run(db, identity="gate", kind="fake")


def test_whoever_watches_statements_sees_these_too(db: Session) -> None:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        seen.append(text)

    event.listen(db.get_bind(), "before_cursor_execute", note)
    try:
        LOOK.all(db, least=1)
    finally:
        event.remove(db.get_bind(), "before_cursor_execute", note)
    assert [text.startswith("SELECT attempts") for text in seen] == [True]


def test_what_psycopg_deallocates_is_prepared_again(postgresql_url: str) -> None:
    """It does so after rollbacks of its own, once it has prepared a statement itself."""
    engine = make_engine(postgresql_url)
    try:
        with Session(engine) as db:
            for _ in range(10):
                db.execute(select(_attempts.c.key)).all()
            assert LOOK.all(db, least=1) == []
            db.rollback()
            assert LOOK.all(db, least=1) == []
    finally:
        engine.dispose()
