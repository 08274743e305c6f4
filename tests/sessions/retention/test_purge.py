"""The purge: what is past its term goes, to the row; the books add up; killed anywhere, it goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ads.models import Impression
from auth.audit import verification
from auth.audit.log import AuditEntry
from auth.models import Attempt, Entitlement
from auth.patrons.local import PatronRecord
from db.engine import SessionMaker, snapshot
from portal.retention import SHELVES
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Decision, Lease, Usage
from sessions.retention import periods, purge
from sessions.retention.errors import SamePerson
from sessions.retention.law import Term
from sessions.retention.models import (
    PurgeRun,
    RetentionRule,
    TermChange,
    TermUnit,
)
from sessions.retention.purge import Phase
from tests.actors import person
from tests.clock import NOON
from tests.sessions.retention.conftest import Purge, books
from tests.sessions.retention.past import DAY, HOUR, QUARTER_AGO, YEAR, YEAR_AGO, Past, many_refusals, rows


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
        actions = db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
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
        said = [(one.actor, one.action) for one in db.scalars(select(AuditEntry).order_by(AuditEntry.number))]
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
        assert "issued" in db.scalars(select(AuditEntry.action)).all()


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
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "purged")).one()
    assert done.run is not None
    assert (entry.actor, entry.object) == ("system", f"purge:{done.run.id}")
    assert entry.detail["access_sessions"] == "due 1, deleted 1, held 0, left 0"


def test_a_run_with_nothing_to_do_says_nothing(past: Past, run: Purge, make_session: SessionMaker) -> None:
    run()
    assert rows(make_session, AuditEntry) == 0


def test_it_rests_until_its_time(past: Past, run: Purge, make_session: SessionMaker) -> None:
    run()
    with make_session.begin() as db:
        assert purge.step(db, SHELVES, now=NOON + 11 * HOUR).phase is Phase.RESTED
        assert purge.step(db, SHELVES, now=NOON + 12 * HOUR).phase is Phase.BEGAN
