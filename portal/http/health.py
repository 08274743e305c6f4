"""Health for the operator's watch: is the database there, and the address of the metrics."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from auth import rate_limits
from db.engine import best_effort, is_busy, reading
from db.troubles import trouble_of
from portal.http.clients import remote_address
from portal.services import services

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
    # Prometheus' client is for this address alone: the start does not wait for its import.
    from portal.http.metrics import exposition

    with reading(services().make_session) as db:
        figures = exposition(db, now=services().clock())
    return Response(figures, content_type="text/plain; version=0.0.4; charset=utf-8")
