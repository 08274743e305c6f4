"""The figures for Prometheus: do the gateways report, does every lease get confirmed, was the purge done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sessions.gateway_health.overview import GatewayHealth, look
from sessions.models import AccessSession, Lease
from sessions.retention.models import PurgeRun


def exposition(db: Session, *, now: datetime) -> bytes:
    """All figures in Prometheus' text format, version 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_FromDatabase(db, now))
    return generate_latest(registry)


class _FromDatabase(Collector):
    """Every figure is read when asked for: nothing kept in one process could be right with several workers."""

    def __init__(self, db: Session, now: datetime) -> None:
        self._db = db
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from _sessions(self._db, self._now)
        yield from _gateways(self._db, self._now)
        yield from _purge(self._db)


def _sessions(db: Session, now: datetime) -> Iterator[Metric]:
    online = GaugeMetricFamily("arobase_access_sessions_open", "Access sessions open now.")
    open_now = select(func.count(AccessSession.id)).where(
        AccessSession.ended_at.is_(None), AccessSession.until > now
    )
    online.add_metric([], db.scalar(open_now) or 0)
    yield online
    waiting = GaugeMetricFamily("arobase_leases_unconfirmed", "Running leases no gateway has confirmed yet.")
    statement = select(func.count(Lease.id)).where(
        Lease.until > now, Lease.released_at.is_(None), Lease.confirmed_at.is_(None)
    )
    waiting.add_metric([], db.scalar(statement) or 0)
    yield waiting


def _gateways(db: Session, now: datetime) -> Iterator[Metric]:
    found = look(db, now=now)
    for name, words, value in _GAUGES:
        gauge = GaugeMetricFamily(f"arobase_gateway_{name}", words, labels=["gateway"])
        for one in found:
            told = value(one)
            if told is not None:
                gauge.add_metric([one.check.identity], told)
        yield gauge


def _purge(db: Session) -> Iterator[Metric]:
    finished = GaugeMetricFamily(
        "arobase_purge_finished_seconds",
        "When the last purge finished, since the epoch; absent before the first.",
    )
    at = db.scalar(select(func.max(PurgeRun.finished_at)).where(PurgeRun.refused.is_(None)))
    if at is not None:
        finished.add_metric([], at.timestamp())
    yield finished
    last = db.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(1)).first()
    refused = GaugeMetricFamily(
        "arobase_purge_refused", "Whether the last purge refused to begin and waits for a person."
    )
    refused.add_metric([], float(last is not None and last.refused is not None))
    yield refused


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


# By gateway and never by client: no label of ours holds an address.
_GAUGES: tuple[tuple[str, str, Callable[[GatewayHealth], float | None]], ...] = (
    ("silent_seconds", "Since the gateway spoke.", lambda one: _seconds(one.check.silence)),
    ("behind", "Changes it has not confirmed.", lambda one: one.check.lag),
    ("behind_seconds", "Age of the oldest of these.", lambda one: _seconds(one.unconfirmed_since) or 0.0),
    ("clock_offset_seconds", "Its clock less ours.", lambda one: one.check.clock_offset),
    ("faults", "What it says is wrong with it, how many.", lambda one: len(one.check.faults)),
    ("missing", "Leases it should hold and does not.", lambda one: one.missing),
    ("surplus", "Clients it lets pass without a lease.", lambda one: one.surplus),
    (
        "outage",
        "Whether it is silent for two minutes or more.",
        lambda one: float(one.silent_since is not None),
    ),
    ("zombies_closed", "Sessions closed by evidence, ever.", lambda one: one.zombies.ever),
)
