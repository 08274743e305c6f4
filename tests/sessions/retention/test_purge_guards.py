"""A purge asks before it takes more than ever, and never believes a clock that jumped."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from auth.audit.log import AuditEntry
from auth.models import Attempt
from db.engine import SessionMaker
from portal.retention import SHELVES
from sessions import sweep
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Decision
from sessions.retention import clock_check as clocks
from sessions.retention import purge
from sessions.retention.models import (
    ClockWatch,
    PurgeRefusal,
)
from sessions.retention.purge import Phase
from tests.actors import person
from tests.clock import NOON
from tests.sessions.retention.conftest import Purge
from tests.sessions.retention.past import DAY, HOUR, OLD, Past, hold, many_refusals, rows
from tests.town import BO_PHONE


def test_more_than_ever_goes_is_asked_about_first(past: Past, run: Purge, make_session: SessionMaker) -> None:
    many_refusals(past, 1001, OLD)
    past.stay(OLD)
    past.db.commit()
    done = run()
    assert done.phase is Phase.REFUSED
    assert done.run is not None and done.run.refused is PurgeRefusal.RUNAWAY
    assert done.run.detail == {"decisions": "1001 of 1001"}
    assert (rows(make_session, Decision), rows(make_session, AccessSession)) == (1001, 1)
    with make_session() as db:
        assert db.scalars(select(AuditEntry.action)).all() == ["purge refused"]


def test_a_person_may_want_it_all_the_same(past: Past, make_session: SessionMaker) -> None:
    many_refusals(past, 1001, OLD)
    past.db.commit()
    phase = Phase.BEGAN
    while not phase.is_last:
        with make_session.begin() as db:
            phase = purge.step(db, SHELVES, now=NOON, confirmed_by=person("pia")).phase
    assert rows(make_session, Decision) == 0
    with make_session() as db:
        assert db.scalars(select(AuditEntry.actor)).all() == ["pia"]


def test_a_fifth_of_a_large_table_is_ordinary(past: Past, run: Purge, make_session: SessionMaker) -> None:
    assert purge.MOST_PERCENT == 20
    measures = [
        purge.Measure("decisions", DataClass.SECURITY, 10_000, 2_000, 0),
        purge.Measure("leases", DataClass.CONNECTION, 10_000, 9_000, 7_000),
        purge.Measure("usage", DataClass.TRAFFIC, 900, 900, 0),
    ]
    assert purge._too_many(measures) == {}
    assert purge._too_many([purge.Measure("decisions", DataClass.SECURITY, 10_000, 2_001, 0)])


TEN_YEARS = NOON.replace(year=2036)


def test_a_clock_ten_years_ahead_deletes_nothing(past: Past, run: Purge, make_session: SessionMaker) -> None:
    past.stay(NOON - DAY)
    past.refusal(NOON - DAY)
    past.attempt(NOON - HOUR)
    past.deed(NOON - DAY)
    past.db.commit()
    with make_session.begin() as db:
        sweep.sweep(db, now=NOON)
    before = {model: rows(make_session, model) for model in (AccessSession, Decision, Attempt)}
    # The sweep goes on by the wrong clock, and writes it down everywhere.
    for minute in range(3):
        with make_session.begin() as db:
            sweep.sweep(db, now=TEN_YEARS + timedelta(minutes=minute))
        past.deed(TEN_YEARS + timedelta(minutes=minute))
        past.db.commit()
        done = run(TEN_YEARS + timedelta(minutes=minute))
        assert done.run is not None and done.run.refused is PurgeRefusal.CLOCK
    assert {model: rows(make_session, model) for model in before} == before
    # Set right again, everything goes on without anybody.
    assert run(NOON + HOUR).phase is Phase.FINISHED


def test_a_clock_that_jumps_in_the_middle_of_a_run_stops_it_and_ends_no_hold(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for _ in range(4):
        past.stay(OLD)
    past.stay(OLD, mac=BO_PHONE)
    hold(past, mac=BO_PHONE)
    past.db.commit()
    with make_session.begin() as db:
        assert purge.step(db, SHELVES, now=NOON, most=2, at_once=True).phase is Phase.BEGAN
    assert run(TEN_YEARS).phase is Phase.REFUSED
    assert rows(make_session, AccessSession) == 5
    assert run(NOON).phase is Phase.FINISHED
    assert rows(make_session, AccessSession) == 1


def test_a_machine_that_was_off_for_long_is_asked_about_and_then_believed(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    with make_session.begin() as db:
        assert clocks.look(db, now=NOON)
        assert clocks.look(db, now=NOON + 7 * DAY)
        assert not clocks.look(db, now=NOON + 15 * DAY)
        assert clocks.doubted_from(db) == NOON + 7 * DAY
    while True:
        with make_session.begin() as db:
            if purge.step(db, SHELVES, now=NOON + 15 * DAY, confirmed_by=person("pia")).phase.is_last:
                break
    with make_session.begin() as db:
        assert clocks.look(db, now=NOON + 16 * DAY)


def test_a_first_round_is_measured_by_what_was_written_before(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.db.execute(delete(ClockWatch))
    past.deed(NOON)
    past.db.commit()
    done = run(TEN_YEARS)
    assert done.run is not None and done.run.refused is PurgeRefusal.CLOCK
