"""The purge: what is past its term goes, to the row; the books add up; killed anywhere, it goes on."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, update

from ads.models import Impression
from auth.audit import verification
from auth.audit.log import TrailEntry
from auth.models import Attempt, Entitlement
from auth.patrons.local import PatronRecord
from db.base import Base
from db.engine import SessionMaker, checkpoint_wal, make_engine, make_session_maker, snapshot
from portal.retention import SHELVES
from sessions import sweep
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Decision, Lease, Usage
from sessions.retention import clock_check as clocks
from sessions.retention import holds, periods, purge
from sessions.retention.errors import SamePerson
from sessions.retention.holds import HoldScope
from sessions.retention.law import Term
from sessions.retention.models import (
    ClockWatch,
    LegalHold,
    PurgeRefusal,
    PurgeRun,
    RetentionRule,
    TermChange,
    TermUnit,
)
from sessions.retention.purge import Phase
from tests.actors import enter, person
from tests.clock import NOON
from tests.sessions.retention.conftest import Purge, books
from tests.sessions.retention.past import HOUR, Past
from tests.town import BO_PHONE

YEAR = Term(1, TermUnit.YEARS)
YEAR_AGO = NOON.replace(year=2025)
QUARTER_AGO = NOON.replace(month=8)
DAY = timedelta(days=1)


def rows(make_session: SessionMaker, model: type[Base]) -> int:
    with make_session() as db:
        return db.scalar(select(func.count()).select_from(model)) or 0


def test_a_session_leaves_with_all_that_hangs_on_it_and_its_neighbour_stays(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    gone = past.stay(YEAR_AGO - timedelta(seconds=1))
    stays = past.stay(YEAR_AGO + HOUR)
    past.db.commit()
    done = run()
    for model in (AccessSession, Lease, Usage, Impression, Entitlement):
        assert rows(make_session, model) == 1, model
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).one() == stays.id != gone.id
    assert done.run is not None and done.run.adds_up is True
    assert books(make_session, done.run) == {
        "access_sessions": (1, 1, 0, 0),
        "leases": (1, 1, 0, 0),
        "usage": (1, 1, 0, 0),
        "impressions": (1, 1, 0, 0),
        "entitlements": (1, 1, 0, 0),
    }


def test_the_term_is_half_open(past: Past, run: Purge, make_session: SessionMaker) -> None:
    past.stay(YEAR_AGO)
    past.db.commit()
    run()
    assert rows(make_session, AccessSession) == 1


def test_what_has_not_ended_has_no_term(past: Past, run: Purge, make_session: SessionMaker) -> None:
    past.stay(YEAR_AGO - DAY, ended_at=None, end_reason=None, until=NOON + HOUR)
    past.db.commit()
    run()
    assert rows(make_session, AccessSession) == 1
    assert rows(make_session, Usage) == 1


def test_who_went_on_from_a_purged_session_goes_on_without_it(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    first = past.stay(YEAR_AGO - DAY)
    second = past.stay(YEAR_AGO + DAY, previous_id=first.id)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.get_one(AccessSession, second.id).previous_id is None


def test_refusals_go_after_three_months_and_budgets_with_them(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.refusal(QUARTER_AGO - timedelta(seconds=1))
    kept = past.refusal(QUARTER_AGO + timedelta(seconds=1))
    past.attempt(QUARTER_AGO - DAY)
    past.attempt(QUARTER_AGO + DAY)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(Decision.code)).all() == [kept.code]
    assert rows(make_session, Attempt) == 1


def test_an_account_goes_a_year_after_its_end_when_no_session_of_it_is_left(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    used = past.entitlement("used", since=YEAR_AGO - 2 * DAY, until=None)
    past.stay(YEAR_AGO + DAY, subject="used", entitlement=used)
    past.entitlement("unused", since=YEAR_AGO - 2 * DAY, until=YEAR_AGO - DAY)
    past.entitlement("of late", since=YEAR_AGO - 2 * DAY, until=YEAR_AGO + DAY)
    past.db.commit()
    run()
    with make_session() as db:
        assert sorted(db.scalars(select(Entitlement.subject))) == ["of late", "used"]


def test_a_card_goes_a_year_after_its_last_day(past: Past, run: Purge, make_session: SessionMaker) -> None:
    past.card(YEAR_AGO.date() - timedelta(days=2))
    kept = [past.card(YEAR_AGO.date()), past.card(None)]
    past.db.commit()
    run()
    with make_session() as db:
        assert sorted(db.scalars(select(PatronRecord.card))) == sorted(one.card for one in kept)


def test_an_ad_with_a_longer_term_stays_countable_and_forgets_whose_it_was(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    rule = next(one for one in periods.current(past.db) if one.data_class is DataClass.ACCEPTANCE)
    periods.change(
        past.db, rule.id, term=Term(5, TermUnit.YEARS), basis="accounts", actor=person("pia"), now=NOON
    )
    past.stay(YEAR_AGO - DAY)
    past.db.commit()
    run()
    assert rows(make_session, AccessSession) == 0
    with make_session() as db:
        impression = db.scalars(select(Impression)).one()
        assert (impression.access_id, impression.lease_id) == (None, None)


def test_counters_with_a_shorter_term_leave_before_their_session(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    rule = next(one for one in periods.current(past.db) if one.data_class is DataClass.TRAFFIC)
    week_ago = NOON - periods.DELAY
    asked = periods.change(
        past.db, rule.id, term=Term(30, TermUnit.DAYS), basis="less", actor=person("pia"), now=week_ago
    )
    assert isinstance(asked, TermChange)
    periods.confirm(past.db, asked.id, actor=person("quentin"), now=week_ago)
    past.stay(NOON - 31 * DAY)
    past.stay(NOON - 29 * DAY)
    past.stay(YEAR_AGO - DAY)
    past.db.commit()
    done = run()
    assert (rows(make_session, AccessSession), rows(make_session, Usage)) == (2, 1)
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["usage"] == (2, 2, 0, 0)


def test_the_trail_goes_after_its_term_and_stays_whole(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for days in (-2, -1, 1):
        past.deed(NOON.replace(year=2023) + days * DAY)
    past.db.commit()
    run()
    with snapshot(make_session) as db:
        found = verification.verify(db)
        actions = db.scalars(select(TrailEntry.action).order_by(TrailEntry.number)).all()
    assert found.is_whole and found.purged == 2
    assert actions == ["issued", "trail purged", "purged"]
    # Each later run leaves all that alone.
    run(NOON + DAY)
    with snapshot(make_session) as db:
        assert verification.verify(db).is_whole


def test_a_shorter_term_begins_a_week_after_the_second_person_and_its_record_outlives_it(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    rule = next(one for one in periods.current(past.db) if one.data_class is DataClass.TRAIL)
    asked = periods.change(past.db, rule.id, term=YEAR, basis="less", actor=person("pia"), now=NOON)
    assert isinstance(asked, TermChange)
    past.deed(NOON)
    past.db.commit()
    run(NOON + 8 * DAY, confirmed_by=person("rita"))
    with make_session.begin() as db:
        assert periods.in_force(db)[DataClass.TRAIL].term == Term(3, TermUnit.YEARS)
        periods.confirm(db, asked.id, actor=person("quentin"), now=NOON + 8 * DAY)
    run(NOON + 14 * DAY, confirmed_by=person("rita"))
    with make_session() as db:
        assert periods.in_force(db)[DataClass.TRAIL].term == Term(3, TermUnit.YEARS)
    run(NOON + 15 * DAY, confirmed_by=person("rita"))
    with make_session() as db:
        assert periods.in_force(db)[DataClass.TRAIL].term == YEAR
    # A year and a day later the deed of that day is gone, and not who asked for this.
    run(NOON + 400 * DAY, confirmed_by=person("rita"))
    with make_session() as db:
        said = [(one.actor, one.action) for one in db.scalars(select(TrailEntry).order_by(TrailEntry.number))]
    assert ("cem", "issued") not in said
    assert said[:3] == [
        ("pia", "shorter term asked"),
        ("quentin", "shorter term confirmed"),
        ("system", "term changed"),
    ]
    with snapshot(make_session) as db:
        assert verification.verify(db).is_whole


def test_a_term_below_the_law_in_the_table_is_not_acted_upon(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    """Whoever writes into the table of terms themselves destroys nothing that the law asks for."""
    past.stay(NOON - 30 * DAY)
    past.deed(NOON - 30 * DAY)
    past.db.execute(update(RetentionRule).values(term=1, unit=TermUnit.DAYS))
    past.db.commit()
    run()
    run(NOON + 2 * DAY)
    assert rows(make_session, AccessSession) == rows(make_session, Entitlement) == 1
    with make_session() as db:
        assert "issued" in db.scalars(select(TrailEntry.action)).all()


def test_whoever_shortened_a_term_does_not_confirm_the_purge(past: Past, make_session: SessionMaker) -> None:
    rule = next(one for one in periods.current(past.db) if one.data_class is DataClass.SECURITY)
    asked = periods.change(
        past.db, rule.id, term=Term(30, TermUnit.DAYS), basis="less", actor=person("pia"), now=NOON
    )
    assert isinstance(asked, TermChange)
    periods.confirm(past.db, asked.id, actor=person("quentin"), now=NOON)
    many_refusals(past, 1001, NOON - 40 * DAY)
    past.db.commit()
    for now in (NOON, NOON + 8 * DAY):
        with make_session.begin() as db, pytest.raises(SamePerson):
            purge.step(db, SHELVES, now=now, confirmed_by=person("pia"))
        with make_session.begin() as db:
            purge.step(db, SHELVES, now=now, confirmed_by=person("quentin"))
            for run_ in db.scalars(select(PurgeRun)):
                run_.finished_at = now


def test_the_trail_says_what_went(past: Past, run: Purge, make_session: SessionMaker) -> None:
    past.stay(YEAR_AGO - DAY)
    past.db.commit()
    done = run()
    with make_session() as db:
        entry = db.scalars(select(TrailEntry).where(TrailEntry.action == "purged")).one()
    assert done.run is not None
    assert (entry.actor, entry.object) == ("system", f"purge:{done.run.id}")
    assert entry.detail["access_sessions"] == "due 1, deleted 1, held 0, left 0"


def test_a_run_with_nothing_to_do_says_nothing(past: Past, run: Purge, make_session: SessionMaker) -> None:
    run()
    assert rows(make_session, TrailEntry) == 0


def test_it_rests_until_its_time(past: Past, run: Purge, make_session: SessionMaker) -> None:
    run()
    with make_session.begin() as db:
        assert purge.step(db, SHELVES, now=NOON + 11 * HOUR).phase is Phase.RESTED
        assert purge.step(db, SHELVES, now=NOON + 12 * HOUR).phase is Phase.BEGAN


# Holds -------------------------------------------------------------------------------------------------------------


def hold(past: Past, network_id: int | None = None, **scope: Any) -> LegalHold:
    return holds.place(
        past.db,
        HoldScope(**scope),
        reference="Réq. 12",
        reason="ordonnée",
        expires_at=NOON + 5 * DAY,
        actor=person("pia"),
        now=NOON - HOUR,
        network_id=network_id,
    )


OLD = YEAR_AGO - 10 * DAY


@pytest.mark.parametrize(
    "scope",
    [
        {"mac": BO_PHONE},
        {"mac": BO_PHONE.upper().replace(":", "-")},
        {"address": "10.99.0.1"},
        {"subject": "bo"},
        {"since": OLD - 3 * HOUR, "until": OLD - timedelta(minutes=150)},
        {"mac": BO_PHONE, "since": OLD - DAY, "until": OLD + DAY},
    ],
    ids=str,
)
def test_what_is_held_stays_and_its_neighbours_go(
    past: Past, run: Purge, make_session: SessionMaker, scope: dict[str, Any]
) -> None:
    past.stay(OLD)
    kept = past.stay(OLD - 2 * HOUR, mac=BO_PHONE, address="10.99.0.1", subject="bo")
    past.stay(OLD + 2 * HOUR)
    order = hold(past, **scope)
    past.db.commit()
    done = run()
    for model in (AccessSession, Lease, Usage, Impression):
        assert rows(make_session, model) == 1, model
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (3, 2, 1, 0)
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).one() == kept.id
    # The hold ends: the next run takes it.
    run(order.expires_at)
    assert rows(make_session, AccessSession) == 0


def test_a_hold_by_site_and_by_public_address_asks_the_leases(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    kept = past.stay(OLD, gateway=past.town.battant)
    past.stay(OLD)
    hold(past, site_id=past.town.battant.site_id)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).all() == [kept.id]
        order = db.scalars(select(LegalHold)).one()
        holds.lift(db, order, actor=person("pia"), now=NOON)
        holds.place(
            db,
            HoldScope(address="198.51.100.7"),
            reference="Réq. 13",
            reason="ordonnée",
            expires_at=NOON + DAY,
            actor=person("pia"),
            now=NOON,
        )
        db.commit()
    run(NOON + HOUR)
    assert rows(make_session, AccessSession) == 1


def test_a_scope_that_does_not_match_in_full_holds_nothing(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.stay(OLD, mac=BO_PHONE)
    past.refusal(OLD)
    hold(past, mac=BO_PHONE, subject="somebody else")
    past.db.commit()
    run()
    assert rows(make_session, AccessSession) == rows(make_session, Decision) == 0


def test_a_hold_of_one_network_keeps_nothing_of_another(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    kept = past.stay(OLD, gateway=past.town.pierre_bayle)
    past.stay(OLD)
    past.refusal(OLD, network_id=past.town.free.id)
    past.deed(NOON.replace(year=2020))
    hold(past, since=NOON.replace(year=2019), network_id=past.town.pierre_bayle.network_id)
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(AccessSession.id)).all() == [kept.id]
        assert "issued" not in db.scalars(select(TrailEntry.action)).all()
    assert rows(make_session, Decision) == 0


def test_refusals_and_deeds_are_held_by_what_they_have(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    past.refusal(OLD)
    kept = past.refusal(OLD, mac=BO_PHONE)
    past.deed(NOON.replace(year=2023) - 2 * DAY)
    past.deed(NOON.replace(year=2023) - 4 * HOUR)
    hold(past, mac=BO_PHONE)
    hold(past, since=NOON.replace(year=2023) - 5 * HOUR, until=NOON.replace(year=2023))
    past.db.commit()
    run()
    with make_session() as db:
        assert db.scalars(select(Decision.code)).all() == [kept.code]
        assert db.scalars(select(TrailEntry.number).order_by(TrailEntry.number)).all()[0] == 2
    with snapshot(make_session) as db:
        assert verification.verify(db).is_whole


def test_a_hold_placed_in_the_middle_of_a_run_acts_at_once(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for _ in range(4):
        past.stay(OLD, mac=BO_PHONE, subject=f"s{past.made}", network_id=past.town.free.id)
    past.db.commit()
    while rows(make_session, AccessSession) == 4:
        with make_session.begin() as db:
            purge.step(db, SHELVES, now=NOON, most=2, at_once=True)
    hold(past, mac=BO_PHONE)
    past.db.commit()
    done = run()
    assert rows(make_session, AccessSession) == 2
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (4, 2, 2, 0)


def test_a_term_made_longer_in_the_middle_of_a_run_acts_at_once(
    past: Past, run: Purge, make_session: SessionMaker
) -> None:
    for _ in range(4):
        past.stay(OLD)
    past.db.commit()
    while rows(make_session, AccessSession) == 4:
        with make_session.begin() as db:
            purge.step(db, SHELVES, now=NOON, most=2, at_once=True)
    for rule in periods.current(past.db):
        if rule.data_class in (DataClass.CONNECTION, DataClass.TRAFFIC):
            longer = Term(2, TermUnit.YEARS)
            periods.change(
                past.db, rule.id, term=longer, basis="Décret de 2026", actor=person("pia"), now=NOON
            )
    past.db.commit()
    done = run()
    assert rows(make_session, AccessSession) == 2
    # The books say what is left of all that was due when the run began.
    assert done.run is not None and done.run.adds_up
    assert books(make_session, done.run)["access_sessions"] == (4, 2, 0, 2)


# Guards ------------------------------------------------------------------------------------------------------------


def many_refusals(past: Past, count: int, at: datetime) -> None:
    past.db.add_all(
        Decision(code=f"M{n:06}", at=at, rule="wrong_credentials", step="signin", detail={})
        for n in range(count)
    )


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
        assert db.scalars(select(TrailEntry.action)).all() == ["purge refused"]


def test_a_person_may_want_it_all_the_same(past: Past, make_session: SessionMaker) -> None:
    many_refusals(past, 1001, OLD)
    past.db.commit()
    phase = Phase.BEGAN
    while not phase.is_last:
        with make_session.begin() as db:
            phase = purge.step(db, SHELVES, now=NOON, confirmed_by=person("pia")).phase
    assert rows(make_session, Decision) == 0
    with make_session() as db:
        assert db.scalars(select(TrailEntry.actor)).all() == ["pia"]


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


# Killed anywhere ---------------------------------------------------------------------------------------------------


def purge_and_die(database_url: str, after: int) -> bool:
    """Run the purge in a process of its own, killed with SIGKILL at its n-th statement or commit; whether it ended."""
    child = os.fork()
    if child == 0:
        try:
            engine = make_engine(database_url)
            left = [after]

            def count(*_: object) -> None:
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(engine, "before_cursor_execute", count)
            event.listen(engine, "after_cursor_execute", count)
            event.listen(engine, "commit", count)
            make = make_session_maker(engine)
            phase = Phase.BEGAN
            while not phase.is_last:
                with make.begin() as db:
                    phase = purge.step(db, SHELVES, now=NOON, most=3, at_once=True).phase
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the purge failed by itself"
    return not os.WIFSIGNALED(status)


def test_killed_anywhere_it_goes_on_and_its_books_add_up(
    past: Past, database_url: str, make_session: SessionMaker
) -> None:
    previous = None
    for _ in range(7):
        previous = past.stay(OLD, previous_id=previous).id
        past.refusal(OLD)
    past.stay(OLD, mac=BO_PHONE)
    past.deed(NOON.replace(year=2023) - DAY)
    past.stay(NOON - DAY)
    hold(past, mac=BO_PHONE)
    past.db.commit()
    past.db.close()
    deaths = 0
    # Ever later in each life: every kind of place is met, and some life is long enough.
    while not purge_and_die(database_url, after=2 + deaths * 3):
        deaths += 1
        assert deaths < 100
        with snapshot(make_session) as db:
            assert verification.verify(db).is_whole
    assert deaths > 20
    assert (rows(make_session, AccessSession), rows(make_session, Decision)) == (2, 0)
    with make_session() as db:
        done = db.scalars(select(PurgeRun)).one()
        assert done.adds_up and done.refused is None
        assert [entry for entry in db.scalars(select(TrailEntry.action)) if entry == "purged"] == ["purged"]
    found = books(make_session, done)
    assert found["access_sessions"] == (8, 7, 1, 0)
    assert found["leases"] == found["usage"] == found["impressions"] == (8, 7, 1, 0)
    assert found["decisions"] == (7, 7, 0, 0)
    assert found["trail"] == (1, 1, 0, 0)


# Gone from the disk ------------------------------------------------------------------------------------------------


def test_on_sqlite_what_was_purged_is_overwritten(
    empty_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "town.sqlite3"
    path.write_bytes(empty_sqlite.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    make = make_session_maker(engine)
    from tests.town import build_town

    with make.begin() as db:
        clocks.look(db, now=NOON)
        old = Past(db, build_town(db))
        enter(db, actor="somebody.unmistakable", action="issued", object="x", now=NOON.replace(year=2020))
        old.stay(OLD, subject="subject-unmistakable")

    def on_disk(word: bytes) -> bool:
        return any(word in file.read_bytes() for file in tmp_path.iterdir())

    assert on_disk(b"somebody.unmistakable") and on_disk(b"subject-unmistakable")
    phase = Phase.BEGAN
    while not phase.is_last:
        with make.begin() as db:
            phase = purge.step(db, SHELVES, now=NOON, at_once=True).phase
    checkpoint_wal(engine)
    assert not on_disk(b"somebody.unmistakable")
    assert not on_disk(b"subject-unmistakable")
    engine.dispose()
