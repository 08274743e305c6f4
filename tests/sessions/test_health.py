"""Silences to the instant, drifts by evidence, and zombies closed by it and not by age."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from db.engine import SessionMaker
from db.statements import table_of
from sessions import accounting, end, feed, roaming
from sessions.accounting import UsageReport
from sessions.gateway_health import mismatches, outages, stale_sessions
from sessions.models import AccessSession, EndReason, Lease, Mismatch, MismatchKind, Outage, Remedy
from sessions.sweep import sweep
from sites.models import Feed, Gateway
from tests.clock import NOON
from tests.sessions.test_feed import enter, read
from tests.town import BO_PHONE, Town, build_town, make_client

EVERY = timedelta(seconds=15)


class Agent:
    """What a gateway of the tests says, at an instant that moves on with each report."""

    def __init__(self, db: Session, gateway: Gateway, at: datetime = NOON) -> None:
        self.db, self.gateway, self.at = db, gateway, at
        self.sequence, self.version = 0, 0

    def follow(self) -> feed.Feed:
        answer = read(self.db, self.gateway, self.version, self.at)
        self.version = answer.version
        feed.confirm(self.db, gateway_id=self.gateway.id, version=answer.version, refused={}, now=self.at)
        return answer

    def report(self, held: Iterable[int], *, times: int = 1) -> None:
        for _ in range(times):
            self.at += EVERY
            self.sequence += 1
            report = UsageReport("one", self.sequence, 0.0, (), tuple(held), {})
            accounting.record(self.db, gateway=self.gateway, report=report, now=self.at)


def drifts(db: Session) -> list[tuple[int, MismatchKind, int]]:
    rows = db.scalars(select(Mismatch).order_by(Mismatch.id), execution_options={"populate_existing": True})
    return [(row.number, row.kind, row.reports) for row in rows]


def silences(db: Session) -> list[tuple[datetime, datetime | None]]:
    rows = db.scalars(select(Outage).order_by(Outage.id), execution_options={"populate_existing": True})
    return [(row.since, row.until) for row in rows]


def the_session(db: Session, number: int) -> AccessSession:
    return db.get_one(AccessSession, number, populate_existing=True)


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


@pytest.fixture
def agent(db: Session, town: Town) -> Agent:
    return Agent(db, town.station)


def test_a_gateway_that_holds_what_it_should_has_no_drift(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    agent.report([access.id], times=6)
    assert drifts(db) == []


def test_a_lease_that_is_being_told_and_one_just_taken_back_are_no_drift(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.report([], times=3)
    agent.follow()
    agent.at += EVERY
    agent.report([access.id])
    end.end(db, access.id, reason=EndReason.LEFT, now=agent.at)
    agent.report([access.id], times=3)
    assert drifts(db) == []


SECOND = timedelta(seconds=1)
# Around a report at noon: `mismatches.GRACE` before and after it.
LONG_AGO, JUST_BEFORE, SOON = NOON - 10 * SECOND, NOON - 9 * SECOND, NOON + 10 * SECOND


@pytest.mark.parametrize(
    ("lease", "missing", "surplus"),
    [
        ({}, True, False),
        ({"released_at": LONG_AGO}, False, True),
        ({"released_at": JUST_BEFORE}, False, False),
        ({"confirmed_at": None}, False, False),
        ({"confirmed_at": JUST_BEFORE}, False, False),
        ({"version": 2}, False, False),
        ({"version": 2, "released_at": LONG_AGO}, False, False),
        ({"starts_at": NOON}, True, False),
        ({"starts_at": NOON + SECOND}, False, False),
        ({"until": SOON}, False, False),
        ({"until": SOON + SECOND}, True, False),
        ({"until": LONG_AGO}, False, True),
        ({"until": LONG_AGO + SECOND}, False, False),
    ],
    ids=str,
)
def test_a_lease_drifts_where_it_is_neither_new_nor_nearly_over(
    db: Session, town: Town, lease: dict[str, Any], missing: bool, surplus: bool
) -> None:
    access = enter(db, town.station)
    ordinary = {"confirmed_at": LONG_AGO, "version": 1, "starts_at": LONG_AGO}
    db.execute(update(Lease).values(**ordinary | lease))
    db.execute(update(Feed).where(Feed.gateway_id == town.station.id).values(version=2, confirmed_version=1))
    for held, drift in ((frozenset[int](), missing), (frozenset([access.id]), surplus)):
        db.execute(delete(Mismatch))
        mismatches.note(db, gateway_id=town.station.id, held=held, now=NOON)
        assert bool(drifts(db)) is drift, held


def test_of_two_leases_of_one_client_the_one_that_holds_counts(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    before = db.scalars(select(Lease)).one()
    db.execute(
        insert(Lease),
        [
            {each.name: getattr(before, each.name) for each in table_of(Lease).c if each.name != "id"}
            | {"released_at": NOON, "until": before.until + EVERY}
        ],
    )
    agent.report([access.id], times=2)
    assert drifts(db) == []
    agent.report([])
    assert drifts(db) == [(access.id, MismatchKind.MISSING, 1)]


def test_a_drift_that_passes_by_itself_leaves_nothing(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    agent.report([])
    assert drifts(db) == [(access.id, MismatchKind.MISSING, 1)]
    agent.report([access.id])
    assert drifts(db) == []


def test_a_gateway_that_lost_a_lease_is_told_once_more_and_nobody_is_ended(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    agent.report([], times=2)
    assert stale_sessions.settle(db, now=agent.at) == stale_sessions.Settled(closed=0, sent_again=1)
    assert [grant.number for grant in agent.follow().grants] == [access.id]
    agent.report([access.id], times=6)
    assert stale_sessions.settle(db, now=agent.at) == stale_sessions.Settled(0, 0)
    [row] = db.scalars(select(Mismatch))
    assert row.remedy is Remedy.TOLD_AGAIN
    assert the_session(db, access.id).ended_at is None


def test_a_session_that_its_gateway_does_not_hold_is_a_zombie_and_is_closed(
    db: Session, agent: Agent
) -> None:
    access, other = enter(db, agent.gateway), enter(db, agent.gateway, BO_PHONE, "10.66.0.6")
    agent.follow()
    for _ in range(8):
        agent.report([other.id])
        sweep(db, now=agent.at)
        agent.follow()
    assert the_session(db, access.id).end_reason is EndReason.GATEWAY_LOST
    assert the_session(db, other.id).ended_at is None
    [row] = db.scalars(select(Mismatch), execution_options={"populate_existing": True})
    assert (row.remedy, row.kind, row.number) == (Remedy.CLOSED, MismatchKind.MISSING, access.id)


def test_no_session_is_closed_for_being_old_or_on_the_word_of_a_silent_gateway(
    db: Session, agent: Agent
) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    agent.report([], times=2)
    later = agent.at + timedelta(minutes=10)
    assert stale_sessions.settle(db, now=later) == stale_sessions.Settled(0, 0)
    agent.at = later
    # After its silence the evidence begins anew.
    agent.report([])
    assert drifts(db) == [(access.id, MismatchKind.MISSING, 1)]


def test_a_gateway_that_was_not_reached_again_has_its_sessions_left_alone(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    for _ in range(9):
        agent.report([])
        stale_sessions.settle(db, now=agent.at)
    assert the_session(db, access.id).ended_at is None


def test_somebody_who_walked_on_is_not_ended_by_the_gateway_before(
    db: Session, agent: Agent, town: Town
) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    roaming.arrive(db, gateway=town.battant, clients=[make_client(access.mac, "10.67.0.5")], now=NOON)
    for _ in range(8):
        agent.report([])
        stale_sessions.settle(db, now=agent.at)
        agent.follow()
    assert the_session(db, access.id).ended_at is None


def test_a_client_that_passes_after_its_end_is_told_to_stop_once_more(db: Session, agent: Agent) -> None:
    access = enter(db, agent.gateway)
    agent.follow()
    end.end(db, access.id, reason=EndReason.STAFF, now=agent.at)
    assert agent.follow().ends == (access.id,)
    agent.report([access.id], times=2)
    assert drifts(db) == [(access.id, MismatchKind.SURPLUS, 2)]
    assert stale_sessions.settle(db, now=agent.at).sent_again == 1
    assert agent.follow().ends == (access.id,)
    agent.report([])
    [row] = db.scalars(select(Mismatch), execution_options={"populate_existing": True})
    assert (row.remedy, row.settled_at) == (Remedy.TOLD_AGAIN, agent.at)


def test_a_client_of_which_we_know_nothing_is_told_to_stop(db: Session, agent: Agent) -> None:
    """A database restored from a backup: the gateway lets pass whom we have never seen."""
    enter(db, agent.gateway)
    agent.follow()
    agent.report([1, 4711], times=2)
    stale_sessions.settle(db, now=agent.at)
    answer = agent.follow()
    assert not answer.full
    assert answer.ends == (4711,)


def test_two_rounds_at_once_tell_and_close_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        gateway = build_town(db).station
        agent = Agent(db, gateway)
        access = enter(db, gateway)
        agent.follow()
        agent.report([], times=2)
        stale_sessions.settle(db, now=agent.at)
        agent.follow()
        agent.report([], times=6)
    done: list[stale_sessions.Settled] = []

    def settle() -> None:
        with make_session.begin() as db:
            done.append(stale_sessions.settle(db, now=agent.at))

    threads = [threading.Thread(target=settle) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.closed for each in done) == 1
    with make_session() as db:
        assert the_session(db, access.id).end_reason is EndReason.GATEWAY_LOST


def test_a_silence_begins_with_the_last_word_and_ends_with_the_next(db: Session, agent: Agent) -> None:
    agent.report([])
    heard = agent.at
    outages.notice(db, now=heard + timedelta(seconds=119))
    assert silences(db) == []
    sweep(db, now=heard + timedelta(seconds=120))
    sweep(db, now=heard + timedelta(seconds=180))
    assert silences(db) == [(heard, None)]
    agent.at = heard + timedelta(minutes=7)
    agent.report([])
    assert silences(db) == [(heard, agent.at)]
    sweep(db, now=agent.at)
    agent.report([])
    assert silences(db) == [(heard, heard + timedelta(minutes=7) + EVERY)]


def test_a_silence_that_no_sweep_noticed_is_written_down_when_it_ends(db: Session, agent: Agent) -> None:
    agent.report([])
    heard = agent.at
    agent.at += timedelta(hours=1)
    agent.follow()
    assert silences(db) == [(heard, heard + timedelta(hours=1))]


def test_a_gateway_that_never_spoke_and_a_fake_one_have_no_silences(db: Session, town: Town) -> None:
    town.battant.kind = "fake"
    town.battant.seen_at = NOON
    db.flush()
    assert outages.notice(db, now=NOON + timedelta(days=1)) == 0


def test_a_report_that_is_sent_once_more_is_no_sign_of_life(db: Session, agent: Agent) -> None:
    agent.report([])
    heard = agent.at
    outages.notice(db, now=heard + timedelta(minutes=5))
    accounting.record(
        db,
        gateway=agent.gateway,
        report=UsageReport("one", 1, 0.0, (), (), {}),
        now=heard + timedelta(minutes=6),
    )
    assert silences(db) == [(heard, None)]


def test_two_sweeps_at_once_notice_a_silence_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        build_town(db).station.seen_at = NOON

    def notice() -> None:
        with make_session.begin() as db:
            outages.notice(db, now=NOON + timedelta(minutes=5))

    threads = [threading.Thread(target=notice) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert silences(db) == [(NOON, None)]


def test_a_confirmation_takes_nothing_back_and_confirms_no_future(db: Session, agent: Agent) -> None:
    enter(db, agent.gateway)
    version = agent.follow().version
    for claimed in (version - 1, 2**40):
        feed.confirm(db, gateway_id=agent.gateway.id, version=claimed, refused={}, now=agent.at)
        db.refresh(agent.gateway)
        assert agent.gateway.confirmed_version == version == agent.gateway.feed_version
    later = enter(db, agent.gateway, BO_PHONE, "10.66.0.6")
    assert [grant.number for grant in agent.follow().grants] == [later.id]
