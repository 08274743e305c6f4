"""Health for the operator's watch: is the database there, do the gateways report, does every lease get confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.engine import reading
from portal.services import services
from portal.visits import peer
from sessions.models import AccessSession, Lease
from sites.models import Gateway

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> tuple[Response, int]:
    try:
        with reading(services().make_session) as db:
            db.execute(text("SELECT 1 FROM networks LIMIT 1"))
    except SQLAlchemyError as error:
        return jsonify(database=type(error).__name__), HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(database="ok"), HTTPStatus.OK


@health.get("/metrics")
def metrics() -> Response:
    """For Prometheus, from the addresses of AROBASE_METRICS_CLIENTS alone; a guest is told there is no such page."""
    address = peer()
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
    now = services().clock()
    silent = GaugeMetricFamily(
        "arobase_gateway_silent_seconds", "Since the gateway spoke.", labels=["gateway"]
    )
    behind = GaugeMetricFamily("arobase_gateway_behind", "Changes it has not confirmed.", labels=["gateway"])
    for gateway in db.scalars(select(Gateway).order_by(Gateway.identity)):
        if gateway.seen_at is not None:
            silent.add_metric([gateway.identity], (now - gateway.seen_at).total_seconds())
        behind.add_metric([gateway.identity], gateway.feed_version - gateway.confirmed_version)
    yield silent
    yield behind
