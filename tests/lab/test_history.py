"""The made-up past of the town fits the tables, is the same each time, and looks like a town's."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.orm import Session

import ads.models  # noqa: F401
from ads.models import Impression
from auth.entitlements import Allowance
from db.base import Base
from db.engine import make_engine, make_session_maker, reading
from lab.history import writing
from lab.history.instants import text_of
from lab.history.repeating import write_weeks
from lab.history.wish import Wish
from sessions.arrival import Acceptance, Arrival
from sessions.log.denials import read_code, show_code
from sessions.models import AccessSession, Decision, EndReason, Lease, Outage, Usage
from sessions.start import open_access
from sites.models import Gateway, SigninMethod, Site, SiteKind
from sites.opening_hours import is_open, parse
from tests.clock import NOON
from tests.town import make_client

PARIS = ZoneInfo("Europe/Paris")
WISH = Wish(sessions=900, begins=date(2026, 11, 14), ends=NOON, seed=7)
CHILDREN = {
    "leases": ("access_id", "access_sessions"),
    "usage": ("access_id", "access_sessions"),
    "impressions": ("lease_id", "leases"),
    "access_sessions": ("entitlement_id", "entitlements"),
    "decisions": ("gateway_id", "gateways"),
}


@pytest.fixture(scope="module")
def past(empty_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Written once: nobody changes it."""
    path = tmp_path_factory.mktemp("past") / "town.sqlite3"
    shutil.copy(empty_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    writing.write(engine, WISH)
    with reading(make_session_maker(engine)) as db:
        yield db
    engine.dispose()


def test_it_writes_what_was_wished_for_and_life_goes_on_in_the_same_tables(
    engine: Engine, db: Session
) -> None:
    wish = Wish(sessions=300, begins=date(2026, 11, 1), ends=NOON, seed=3)
    written = writing.write(engine, wish)
    assert 280 < written.sessions < 340
    for table, rows in written.rows.items():
        assert db.scalar(select(func.count()).select_from(Base.metadata.tables[table])) == rows > 0
    _check_orphans(db)
    _go_on(db)


def test_every_row_belongs_to_one_that_is_there(past: Session) -> None:
    _check_orphans(past)


def _check_orphans(past: Session) -> None:
    for name, (column, parent) in CHILDREN.items():
        child, other = Base.metadata.tables[name], Base.metadata.tables[parent]
        orphans = (
            select(func.count())
            .select_from(child)
            .where(child.c[column].is_not(None), child.c[column].not_in(select(other.c.id)))
        )
        assert past.scalar(orphans) == 0, name


def test_the_same_seed_gives_the_same_past(past: Session, empty_sqlite: Path, tmp_path: Path) -> None:
    shutil.copy(empty_sqlite, tmp_path / "again.sqlite3")
    engine = make_engine(f"sqlite:///{tmp_path / 'again.sqlite3'}")
    writing.write(engine, WISH)
    with reading(make_session_maker(engine)) as db:
        assert _told(db) == _told(past)
    engine.dispose()


def _told(db: Session) -> list[tuple[object, ...]]:
    columns = (AccessSession.id, AccessSession.mac, AccessSession.started_at, AccessSession.end_reason)
    return [tuple(row) for row in db.execute(select(*columns).order_by(AccessSession.id))]


def test_no_device_is_online_twice_on_a_network(past: Session) -> None:
    ends: dict[tuple[int, str], datetime] = {}
    for access in past.scalars(select(AccessSession).order_by(AccessSession.started_at)):
        key = (access.network_id, access.mac)
        assert ends.get(key, access.started_at) <= access.started_at
        ends[key] = access.ended_at or access.until


def test_who_is_online_at_the_end_is_still_online_and_nobody_else(past: Session) -> None:
    accesses = past.scalars(select(AccessSession)).all()
    assert any(access.ended_at is None for access in accesses)
    for access in accesses:
        assert access.started_at < NOON
        assert (access.ended_at is None) == (access.until > NOON) or access.end_reason is not None
        assert access.last_seen_at <= (access.ended_at or NOON)


def test_leases_follow_each_other_without_a_gap_and_end_with_the_session(past: Session) -> None:
    for access in past.scalars(select(AccessSession).limit(400)):
        leases = past.scalars(select(Lease).where(Lease.access_id == access.id).order_by(Lease.id)).all()
        assert max(lease.until for lease in leases) == access.until
        assert min(lease.starts_at for lease in leases) == access.started_at
        own = [lease for lease in leases if lease.gateway_id == leases[0].gateway_id]
        assert all(after.starts_at <= before.until for before, after in itertools.pairwise(own))
        for lease in leases:
            released = access.ended_at is not None and access.ended_at < lease.until
            assert lease.released_at == (access.ended_at if released else None)


def test_a_device_that_goes_on_under_a_new_address_is_the_same_person_until_the_same_instant(
    past: Session,
) -> None:
    moved = past.scalars(select(AccessSession).where(AccessSession.previous_id.is_not(None))).all()
    assert moved
    for access in moved:
        before = past.get_one(AccessSession, access.previous_id)
        assert (before.end_reason, before.ended_at) == (EndReason.MOVED, access.started_at)
        assert (before.subject, before.mac == access.mac) == (access.subject, False)


def test_libraries_are_used_when_they_are_open(past: Session) -> None:
    in_libraries = past.execute(
        select(AccessSession.started_at, Site.opening_hours, AccessSession.method)
        .join(Site, Site.id == AccessSession.site_id)
        .where(Site.kind == SiteKind.LIBRARY)
    ).all()
    assert {row.method for row in in_libraries} == {SigninMethod.PATRON, SigninMethod.PASS}
    open_ones = [is_open(parse(row.opening_hours), row.started_at, PARIS) for row in in_libraries]
    # Those who wanted to come while the gateway was silent came a little later.
    assert open_ones.count(True) > 0.98 * len(open_ones)


def test_the_station_is_busy_in_the_morning_and_empty_at_night(past: Session) -> None:
    begun = past.scalars(
        select(AccessSession.started_at)
        .join(Site, Site.id == AccessSession.site_id)
        .where(Site.kind == SiteKind.STATION)
    )
    hours = Counter(at.astimezone(PARIS).hour for at in begun)
    assert hours[7] + hours[8] > 5 * (hours[2] + hours[3] + 1)


def test_every_free_lease_was_earned_by_an_accepted_message(past: Session) -> None:
    free = select(func.count(Lease.id)).join(AccessSession).where(AccessSession.method == SigninMethod.FREE)
    earned = past.scalar(select(func.count(Impression.id))) or 0
    walked = past.scalar(free.where(Lease.id.not_in(select(Impression.lease_id)))) or 0
    assert earned + walked == past.scalar(free)
    assert walked < earned * 0.06


def test_bytes_and_refusals_and_silences_are_there(past: Session) -> None:
    assert (past.scalar(select(func.sum(Usage.bytes_down))) or 0) > 1e9
    assert len(past.scalars(select(Decision.rule).distinct()).all()) > 3
    code = past.scalars(select(Decision.code)).first() or ""
    assert read_code(show_code(code)) == code
    for outage in past.scalars(select(Outage)):
        assert outage.until is None or outage.until - outage.since >= timedelta(seconds=149)


def _go_on(past: Session) -> None:
    gateway = past.scalars(select(Gateway).order_by(Gateway.id)).first()
    assert gateway is not None
    assert gateway.feed_version == gateway.confirmed_version > 0
    opened = open_access(
        past,
        Arrival(gateway, make_client("02:ff:00:00:00:01", "10.96.0.77"), Acceptance("1", "fr", "0" * 64)),
        allowance=Allowance("somebody", SigninMethod.FREE, None, 1),
        now=NOON,
    )
    past.commit()
    assert opened.lease_id


def test_a_large_past_is_written_without_the_indexes_and_they_are_there_afterwards(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[int] = []
    monkeypatch.setattr(writing, "BULK", 100)

    def look(_sessions: int) -> None:
        missing.append(len(inspect(engine).get_indexes("leases")))

    before = _indexes(engine)
    writing.write(engine, Wish(300, date(2026, 11, 20), NOON, 3), tell=look)
    assert missing[0] < len(before)
    assert _indexes(engine) == before


def _indexes(engine: Engine) -> list[str]:
    return sorted(
        f"{index['name']} {index['column_names']}" for index in inspect(engine).get_indexes("leases")
    )


def test_weeks_that_come_again_are_a_past_like_any_other(engine: Engine, db: Session) -> None:
    """The same people at the same hours of the same weekdays, and only those of the present online."""
    written = write_weeks(engine, Wish(1_200, NOON.date(), NOON, 5), weeks=4)
    for table, rows in written.rows.items():
        assert db.scalar(select(func.count()).select_from(Base.metadata.tables[table])) == rows, table
    assert 1_150 < written.sessions < 1_500
    _check_orphans(db)
    begun = sorted(db.scalars(select(AccessSession.started_at).where(AccessSession.mac == _faithful(db))))
    weeks_later = [at - begun[0] for at in begun]
    # SQLite reckons with thousandths of a second.
    assert all(
        any(abs(each - timedelta(weeks=number)) < timedelta(seconds=0.01) for each in weeks_later)
        for number in range(1, 4)
    )
    open_ones = db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))).all()
    assert all(access.until > NOON for access in open_ones)
    _go_on(db)


def _faithful(db: Session) -> str:
    """The device of the first session of all."""
    return db.scalars(select(AccessSession.mac).order_by(AccessSession.id).limit(1)).one()


def test_instants_are_written_as_the_tables_hold_them() -> None:
    at = datetime(2026, 3, 29, 0, 59, 59, 250_000, tzinfo=UTC)
    assert text_of(at.timestamp()) == "2026-03-29 00:59:59.250000"
