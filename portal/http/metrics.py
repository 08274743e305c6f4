"""The figures for Prometheus: do the gateways report, does every lease get confirmed, was the purge done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from sessions import clients, confirmations
from sessions.gateway_health.overview import GatewayHealth, look
from sessions.retention import clock_check, purge
from sessions.troubles.kinds import KINDS
from sessions.troubles.service import kind_of, open_troubles


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
        yield from _troubles(self._db)


def _sessions(db: Session, now: datetime) -> Iterator[Metric]:
    online = GaugeMetricFamily("arobase_access_sessions_open", "Access sessions open now.")
    online.add_metric([], clients.count_online(db, now=now))
    yield online
    by_network = GaugeMetricFamily(
        "arobase_network_access_sessions_open", "Access sessions open now, by network.", labels=["network"]
    )
    for network, count in clients.count_online_by_network(db, now=now).items():
        by_network.add_metric([network], count)
    yield by_network
    waiting = GaugeMetricFamily("arobase_leases_unconfirmed", "Running leases no gateway has confirmed yet.")
    waiting.add_metric([], confirmations.count_unconfirmed(db, now=now))
    yield waiting


def _gateways(db: Session, now: datetime) -> Iterator[Metric]:
    found = look(db, now=now)
    for name, words, value in _GAUGES:
        gauge = GaugeMetricFamily(f"arobase_gateway_{name}", words, labels=["gateway"])
        for one in found:
            sample = value(one)
            if sample is not None:
                gauge.add_metric([one.check.identity], sample)
        yield gauge


def _purge(db: Session) -> Iterator[Metric]:
    finished = GaugeMetricFamily(
        "arobase_purge_finished_seconds",
        "When the last purge finished, since the epoch; absent before the first.",
    )
    done = purge.last_finished(db)
    if done is not None and done.finished_at is not None:
        finished.add_metric([], done.finished_at.timestamp())
    yield finished
    last = purge.last_run(db)
    refused = GaugeMetricFamily(
        "arobase_purge_refused", "Whether the last purge refused to begin and waits for a person."
    )
    refused.add_metric([], float(last is not None and last.refused is not None))
    yield refused


def _troubles(db: Session) -> Iterator[Metric]:
    lasting = GaugeMetricFamily(
        "arobase_troubles_open", "Troubles that last, by kind.", labels=["kind", "severity"]
    )
    kinds = Counter(kind_of(trouble) for trouble in open_troubles(db))
    for kind in KINDS.values():
        lasting.add_metric([kind.name, kind.severity.value], kinds[kind])
    yield lasting
    finished = GaugeMetricFamily(
        "arobase_sweep_finished_seconds",
        "When the sweep last remembered the time, since the epoch; absent before the first.",
    )
    if (seen_at := clock_check.last_seen(db)) is not None:
        finished.add_metric([], seen_at.timestamp())
    yield finished


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
