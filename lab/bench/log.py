"""The session log at its full size: the list, accounting, the purge, a month's figures; and a hundredth beside it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from auth.audit.actor import Actor, command_line
from db.engine import make_engine, make_session_maker, reading
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun
from lab.history.repeating import write_weeks
from lab.history.wish import Wish
from lab.hotspot import now
from portal.retention import SHELVES
from portal.tables import METADATA
from sessions import accounting
from sessions.accounting import Counters, UsageReport
from sessions.log.query import Filter, Key, State, page
from sessions.models import AccessSession, EndReason, Lease
from sessions.retention import purge
from sessions.statistics import building, months
from sessions.statistics.calendar import first_of_month
from sites.models import Gateway, Network, SigninMethod, Site
from tests.services.postgresql import running_postgresql

WEEKS = 52
# Settings of a server that is to load, which a reload of its configuration changes.
LOADING = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "16GB"}
# A year of the classes that are kept for one.
PAST_TERM = timedelta(days=366)
FULL_PAGE = "a later page"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sessions of the large log (the small one has a hundredth), looks at each list, clients in a report, reports, and
    for how long the purge is watched."""

    sessions: int
    looks: int
    clients: int
    reports: int
    purge_seconds: float
    days: int = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """One look at the list."""

    filter: Filter
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Looks:
    """How long each look took, in seconds, and how many lines it showed."""

    waits: list[float]
    lines: list[int]

    @property
    def median(self) -> float:
        return percentile(self.waits, 50)


def measure(folder: Path, kind: str, sizes: Sizes) -> Iterator[Figure]:
    """Build a hundredth, look; build the whole, look again, and do there what is done all day."""
    folder.mkdir(parents=True, exist_ok=True)
    with filled(folder / "small", kind, sizes.sessions // 100) as engine:
        small = lists(engine, sizes)
    with filled(folder / "large", kind, sizes.sessions) as engine:
        yield from figures(engine, kind, sizes, small)


def figures(engine: Engine, kind: str, sizes: Sizes, small: dict[str, Looks]) -> Iterator[Figure]:
    """What is measured in a large log; `small` are the looks at the list of a hundredth."""
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM access_sessions")) or 0
    yield Figure(f"log, {kind}, sessions", count, "")
    for name, looks in lists(engine, sizes).items():
        title = f"log, {kind}, {name}"
        yield Figure(f"{title}, p50", looks.median * 1000, "ms")
        yield Figure(f"{title}, p95", percentile(looks.waits, 95) * 1000, "ms", "under 100")
        growth = looks.median / as_long(looks, name, small).median
        yield Figure(f"{title}, against a hundredth (p50)", growth, "", "under 1.5")
    updates = accounting_updates(engine, sizes)
    yield Figure(f"accounting updates, {kind}", updates, "1/s", "at least 1,800")
    yield Figure(f"a month's figures made, {kind}", month(engine, sizes) * 30 / sizes.days, "s", "under 30")
    yield Figure(f"purged rows, {kind}", purged(engine, sizes), "1/s")


@contextmanager
def filled(folder: Path, kind: str, sessions: int) -> Iterator[Engine]:
    """A database of this kind with a year of the town in it."""
    folder.mkdir()
    with _database(kind, folder) as url:
        engine = make_engine(url)
        METADATA.create_all(engine)
        ends = now().replace(hour=13, minute=0, second=0, microsecond=0)
        with unflushed(engine):
            write_weeks(engine, Wish(sessions, ends.date(), ends), weeks=WEEKS)
        try:
            yield engine
        finally:
            engine.dispose()


def as_long(looks: Looks, name: str, small: dict[str, Looks]) -> Looks:
    """What to compare with in the hundredth: the same question, unless it has more to show now; then a full page."""
    same = small[name]
    return same if percentile(same.lines, 50) >= percentile(looks.lines, 50) else small[FULL_PAGE]


@contextmanager
def unflushed(engine: Engine) -> Iterator[None]:
    """Have a PostgreSQL server of our own load without waiting for the disk, and be durable again afterwards.

    What its autovacuum would do to so many new rows in the middle of a measurement is done before.
    """
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        run = connection.exec_driver_sql
        for name, value in LOADING.items():
            run(f"ALTER SYSTEM SET {name} = '{value}'")
        run("SELECT pg_reload_conf()")
        yield
        run("VACUUM (ANALYZE)")
        for name in LOADING:
            run(f"ALTER SYSTEM RESET {name}")
        run("SELECT pg_reload_conf()")
        # What was written meanwhile reaches the disk now, not in the middle of a measurement.
        os.sync()
        run("CHECKPOINT")


def lists(engine: Engine, sizes: Sizes) -> dict[str, Looks]:
    """The looks at the list, by what was asked."""
    make_session, rng = make_session_maker(engine), random.Random(7)
    found: dict[str, Looks] = {}
    with reading(make_session) as db:
        askers = _askers(db, rng)
        for name, ask in askers.items():
            questions = [ask() for _ in range(sizes.looks)]
            _look(db, ask())
            looks = [_look(db, question) for question in questions]
            found[name] = Looks([seconds for seconds, _ in looks], [lines for _, lines in looks])
    return found


def _look(db: Session, asked: Asked) -> tuple[float, int]:
    started = time.perf_counter()
    found = page(db, asked.filter, authority_networks=(), after=asked.after)
    return time.perf_counter() - started, len(found.lines)


def _askers(db: Session, rng: random.Random) -> dict[str, Callable[[], Asked]]:
    """What staff ask, each time for another device, place or hour of the past."""
    highest = db.scalar(select(AccessSession.id).order_by(AccessSession.id.desc()).limit(1)) or 0
    sites = list(db.scalars(select(Site.slug).join(Gateway, Gateway.site_id == Site.id)))
    networks = list(db.scalars(select(Network.slug)))
    reasons = (EndReason.EXPIRED, EndReason.IDLE, EndReason.LEFT, EndReason.MOVED, EndReason.STAFF)

    def somebody() -> AccessSession:
        at = select(AccessSession).where(AccessSession.id >= rng.randint(1, highest))
        return db.scalars(at.order_by(AccessSession.id).limit(1)).one()

    def hour() -> Asked:
        at = somebody().started_at
        return Asked(Filter(since=at - timedelta(minutes=15), until=at + timedelta(minutes=15)))

    def place_and_hour() -> Asked:
        return Asked(replace(hour().filter, site=rng.choice(sites)))

    def deep() -> Asked:
        access = somebody()
        return Asked(Filter(), Key(access.started_at, access.id))

    return {
        "first page": lambda: Asked(Filter()),
        FULL_PAGE: deep,
        "by site": lambda: Asked(Filter(site=rng.choice(sites))),
        "by network": lambda: Asked(Filter(network=rng.choice(networks))),
        "by half an hour": hour,
        "by site and half an hour": place_and_hour,
        "by MAC": lambda: Asked(Filter(mac=somebody().mac)),
        "by address": lambda: Asked(Filter(address=somebody().address)),
        "by pseudonym": lambda: Asked(Filter(subject=somebody().subject)),
        "by state": lambda: Asked(Filter(state=State.OPEN)),
        "by reason of end": lambda: Asked(Filter(reason=rng.choice(reasons))),
        "by way in": lambda: Asked(Filter(method=rng.choice(list(SigninMethod)))),
    }


def accounting_updates(engine: Engine, sizes: Sizes) -> float:
    """Clients reported and committed a second, by one worker: reports as gateways send them, one after the other."""
    make_session = make_session_maker(engine)
    with make_session() as db:
        gateways = db.scalars(select(Gateway).order_by(Gateway.id).limit(8)).all()
        numbers = {gateway.id: _lately(db, gateway.id, sizes.clients) for gateway in gateways}
    at, sent = now(), 0
    started = time.perf_counter()
    for sequence in range(1, sizes.reports + 1):
        for gateway in gateways:
            counts = tuple(_count(number, sequence) for number in numbers[gateway.id])
            report = UsageReport("bench", sequence, at.timestamp(), counts, (), {})
            with make_session.begin() as db:
                accounting.record(
                    db, gateway=gateway, report=report, now=at + timedelta(seconds=10 * sequence)
                )
            sent += len(counts)
    if not sent:
        raise SpoiltRun("nobody was ever online")
    return sent / (time.perf_counter() - started)


def _lately(db: Session, gateway_id: int, most: int) -> list[int]:
    """The sessions that were last at this gateway."""
    here = select(Lease.access_id).where(Lease.gateway_id == gateway_id).order_by(Lease.until.desc())
    return list(dict.fromkeys(db.scalars(here.limit(most))))


def _count(number: int, sequence: int) -> Counters:
    grown = sequence * 100_000
    return Counters(number, grown, grown * 10, sequence * 300, sequence * 1000, 1.0, ())


def month(engine: Engine, sizes: Sizes) -> float:
    """Seconds to work the figures of the last days out of their rows."""
    make_session, today = make_session_maker(engine), now().date()
    days = [today - timedelta(days=number + 2) for number in range(sizes.days)]
    with make_session.begin() as db:
        for first in sorted({first_of_month(day) for day in days}):
            months.make_salt(db, first)
    started = time.perf_counter()
    with reading(make_session) as db:
        for day in days:
            building.make(db, day)
    return time.perf_counter() - started


def purged(engine: Engine, sizes: Sizes) -> float:
    """Rows of sessions a second that leave, in the steps in which the purge goes, where a week is past its term."""
    make_session = make_session_maker(engine)
    with make_session() as db:
        first = db.scalar(select(AccessSession.started_at).order_by(AccessSession.started_at).limit(1))
    assert first is not None
    at, rows, spent = first + PAST_TERM + timedelta(days=7), 0, 0.0
    confirmed: Actor | None = command_line("bench")
    while spent < sizes.purge_seconds:
        stepped, seconds = _step(make_session_maker(engine), at, confirmed)
        confirmed = None
        if stepped.phase is purge.Phase.DELETED:
            rows, spent = rows + stepped.rows, spent + seconds
        elif stepped.phase.is_last:
            break
    if not rows:
        raise SpoiltRun("nothing was purged")
    return rows / spent


def _step(make_session: Callable[[], Session], at: datetime, by: Actor | None) -> tuple[purge.Stepped, float]:
    started = time.perf_counter()
    with make_session() as db:
        stepped = purge.step(db, SHELVES, now=at, at_once=True, confirmed_by=by)
        db.commit()
    return stepped, time.perf_counter() - started


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'log.sqlite3'}"
        return
    with running_postgresql(durable=True) as url:
        yield url
