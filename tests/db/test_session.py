"""A transaction that the driver begins and ends, and SQLAlchemy joins when it is asked for an object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, Integer, bindparam, column, insert, select, table, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, object_session

from auth.models import Attempt
from db.engine import SessionMaker, async_commit, make_engine, make_session_maker, reading
from db.prepared import Prepared
from db.session import driver_of
from db.statements import table_of
from tests.clock import NOON

_attempts = table_of(Attempt)
ADD = Prepared(insert(_attempts))
RAISE = Prepared(
    update(_attempts).where(_attempts.c.key == bindparam("which")).values(count=_attempts.c.count + 1)
)
COUNT = Prepared(select(_attempts.c.count).where(_attempts.c.key == bindparam("which")))
CHILD = Prepared(insert(table("children", column("p", Integer))))
ONE = {"key": "a", "count": 1, "last_at": NOON}


@pytest.fixture
def make_session(database_url: str) -> Iterator[SessionMaker]:
    engine = make_engine(database_url)
    yield make_session_maker(engine)
    engine.dispose()


def kept(make_session: SessionMaker) -> int | None:
    with reading(make_session) as db:
        count: int | None = COUNT.scalar(db, which="a")
        return count


def pool_of(make_session: SessionMaker) -> int:
    engine: Engine = make_session.kw["bind"]
    return engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return]


def test_it_commits_at_the_end_and_undoes_all_when_something_went_wrong(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
    with pytest.raises(LookupError), make_session.begin() as db:
        RAISE.run(db, which="a")
        raise LookupError
    assert kept(make_session) == 1
    assert pool_of(make_session) == 0


def test_objects_see_what_statements_did_and_both_are_committed_as_one(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
        row = db.get_one(Attempt, "a")
        assert row.count == 1
        RAISE.run(db, which="a")
        db.add(Attempt(key="b", count=7, last_at=NOON))
    with make_session() as db:
        assert sorted(db.scalars(select(Attempt.count))) == [2, 7]
    with pytest.raises(LookupError), make_session.begin() as db:
        RAISE.run(db, which="a")
        db.add(Attempt(key="c", count=7, last_at=NOON))
        db.flush()
        raise LookupError
    with make_session() as db:
        assert sorted(db.scalars(select(Attempt.count))) == [2, 7]
    assert pool_of(make_session) == 0


def test_an_object_that_was_only_added_is_committed(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        db.add(Attempt(**ONE))
    assert kept(make_session) == 1


def test_a_savepoint_takes_back_the_statements_within_it_alone(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
        with pytest.raises(LookupError), db.begin_nested():
            RAISE.run(db, which="a")
            raise LookupError
        with pytest.raises(IntegrityError), db.begin_nested():
            ADD.run(db, **ONE)
        RAISE.run(db, which="a")
    assert kept(make_session) == 2


def test_after_it_the_session_reads_nothing_that_it_would_leave_open(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
        assert db.in_transaction()
    assert not db.in_transaction()


def test_a_fault_at_the_commit_is_sqlalchemys_and_leaves_nothing(both_urls: list[str]) -> None:
    """What is checked at the commit alone: a constraint that is deferred."""
    engine = make_engine(both_urls[0])
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
            connection.execute(
                text(
                    "CREATE TABLE children (p INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
                )
            )
        make_session = make_session_maker(engine)
        with pytest.raises(IntegrityError), make_session.begin() as db:
            ADD.run(db, **ONE)
            CHILD.run(db, p=1)
        assert kept(make_session) is None
        assert pool_of(make_session) == 0
    finally:
        engine.dispose()


def test_a_connection_that_the_server_ended_is_not_used_again(both_urls: list[str]) -> None:
    engine = make_engine(both_urls[1])
    make_session = make_session_maker(engine)
    try:
        with pytest.raises(DBAPIError) as met, make_session.begin() as db:
            COUNT.all(db, which="a")
            with engine.connect() as other:
                other.execute(
                    text(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    )
                )
            COUNT.all(db, which="a")
        assert met.value.connection_invalidated
        assert pool_of(make_session) == 0
        assert kept(make_session) is None
    finally:
        engine.dispose()


def test_only_postgresqls_commit_that_may_be_lost_says_so(both_urls: list[str]) -> None:
    def told(db: Session) -> str:
        COUNT.all(db, which="a")
        way: str = db.execute(text("SHOW synchronous_commit")).scalar_one()
        return way

    engine = make_engine(both_urls[1])
    make_session = make_session_maker(engine)
    try:
        assert async_commit(make_session, told) == "off"
        with make_session.begin() as db:
            assert told(db) == "on"
    finally:
        engine.dispose()


def test_only_a_transaction_that_says_so_looks_by_index(make_session: SessionMaker) -> None:
    def way(db: Session) -> str | None:
        on_postgresql = db.get_bind().dialect.name == "postgresql"
        return str(db.execute(text("SHOW enable_seqscan")).scalar_one()) if on_postgresql else None

    with make_session.begin() as db:
        driver_of(db).look_by_index()
        COUNT.all(db, which="a")
        assert way(db) in ("off", None)
    with make_session.begin() as db:
        COUNT.all(db, which="a")
        assert way(db) in ("on", None)


def test_what_was_left_for_later_comes_before_the_next_statement(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.later(db, **ONE)
        RAISE.later(db, which="a")
        assert COUNT.scalar(db, which="a") == 2
        RAISE.later(db, which="a")
        assert db.get_one(Attempt, "a").count == 3
        # SQLAlchemy has the connection now: nothing waits any more.
        RAISE.later(db, which="a")
        assert db.scalar(select(Attempt.count)) == 4
    assert kept(make_session) == 4


def test_what_was_left_for_later_is_committed_and_answers_when_it_is_asked(
    make_session: SessionMaker,
) -> None:
    with make_session.begin() as db:
        ADD.later(db, **ONE)
    with make_session.begin() as db:
        RAISE.later(db, which="a")
        raised = COUNT.later(db, which="a")
        assert (raised.scalar(), COUNT.later(db, which="z").scalar()) == (2, None)
        unasked = COUNT.later(db, which="a")
    assert unasked.rows == [(2,)]
    assert kept(make_session) == 2
    with pytest.raises(LookupError), make_session.begin() as db:
        RAISE.later(db, which="a")
        raise LookupError
    assert kept(make_session) == 2
    assert pool_of(make_session) == 0


@pytest.mark.parametrize("how", ["commit", "statement", "object", "reply"])
def test_a_fault_of_what_was_left_for_later_leaves_nothing(make_session: SessionMaker, how: str) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
    with pytest.raises(IntegrityError), make_session.begin() as db:
        RAISE.later(db, which="a")
        reply = ADD.later(db, **ONE)
        if how == "statement":
            RAISE.run(db, which="a")
        elif how == "object":
            db.get(Attempt, "a")
        elif how == "reply":
            reply.scalar()
    assert kept(make_session) == 1
    assert pool_of(make_session) == 0
    with make_session.begin() as db:
        RAISE.run(db, which="a")
    assert kept(make_session) == 2


def test_what_a_failed_one_left_for_later_is_never_sent(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        ADD.run(db, **ONE)
    with pytest.raises(LookupError), make_session.begin() as db:
        RAISE.later(db, which="a")
        raise LookupError
    # One that SQLAlchemy begins, on the same connection.
    with make_session() as db:
        assert COUNT.scalar(db, which="a") == 1
        db.commit()
    assert kept(make_session) == 1


def test_a_transaction_with_nothing_in_it_is_none(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        assert db.driver is not None
    assert kept(make_session) is None


def test_a_server_that_ends_before_what_was_left_for_later_is_noticed(both_urls: list[str]) -> None:
    engine = make_engine(both_urls[1])
    make_session = make_session_maker(engine)
    try:
        with pytest.raises(DBAPIError) as met, make_session.begin() as db:
            COUNT.all(db, which="a")
            ADD.later(db, **ONE)
            with engine.connect() as other:
                other.execute(
                    text(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    )
                )
        assert met.value.connection_invalidated
        assert pool_of(make_session) == 0
        assert kept(make_session) is None
    finally:
        engine.dispose()


def test_a_session_that_failed_lets_go_of_what_was_only_added_to_it(make_session: SessionMaker) -> None:
    row = Attempt(**ONE)
    with pytest.raises(LookupError), make_session.begin() as db:
        db.add(row)
        raise LookupError
    assert object_session(row) is None
