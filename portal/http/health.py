"""Health for the operator's watch: is the database there, do the gateways report, does every lease get confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from auth import rate_limits
from db.engine import best_effort, is_busy, reading
from db.troubles import trouble_of
from portal.http.clients import remote_address
from portal.services import services
from sessions.gateway_health.overview import GatewayHealth, look
from sessions.models import AccessSession, Lease
from sessions.retention.models import PurgeRun

health = Blueprint("health", __name__)
# The row that is written to see that it can be.
HEALTH = "health"


@health.get("/healthz")
def healthz() -> tuple[Response, int]:
    """Whether the database can be read and written to. One that is only busy is well."""
    service = services()
    try:
        with reading(service.make_session) as db:
            db.execute(text("SELECT 1 FROM networks LIMIT 1"))
        with best_effort(service.make_session) as db:
            rate_limits.touch(db, HEALTH, now=service.clock())
    except (SQLAlchemyError, OSError) as error:
        if (trouble := trouble_of(error)) is None and is_busy(error):
            return jsonify(database="busy"), HTTPStatus.OK
        if trouble is not None:
            service.troubles.tell(trouble)
        return jsonify(database=trouble or type(error).__name__), HTTPStatus.SERVICE_UNAVAILABLE
    service.troubles.over()
    return jsonify(database="ok"), HTTPStatus.OK


@health.get("/metrics")
def metrics() -> Response:
    """For Prometheus, from the addresses of AROBASE_METRICS_CLIENTS alone; a guest is told there is no such page."""
    address = remote_address()
    allowed = services().settings.metrics_clients
    if address is None or not any(address.version == one.version and address in one for one in allowed):
        abort(HTTPStatus.NOT_FOUND)
    registry = CollectorRegistry()
    registry.register(FromDatabase())
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


class FromDatabase(Collector):
    """Every figure is read when asked for: nothing kept in one process could be right with several workers."""

    def collect(self) -> Iterator[Metric]:
        with reading(services().make_session) as db:
            yield from _sessions(db)
            yield from _gateways(db)
            yield from _purge(db)


def _sessions(db: Session) -> Iterator[Metric]:
    now = services().clock()
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


def _gateways(db: Session) -> Iterator[Metric]:
    found = look(db, now=services().clock())
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
