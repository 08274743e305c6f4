"""What an hourglass asks: whom to let pass, and for how many minutes."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from gateways.hourglass.kind import KIND  # type: ignore[import-not-found]

from db.engine import reading
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.credentials import calling_gateway, demand_credential
from portal.gateway_api.endpoints import Endpoint
from portal.services import services
from sessions import feed

door = Blueprint(KIND.name, __name__, url_prefix=f"/gateways/{KIND.name}")
ENDPOINT = Endpoint(door)


@door.before_request
def know_the_gateway() -> None:
    demand_credential(KIND.name)


@door.get("/list")
def whom_to_let_pass() -> Response:
    now = services().clock()
    with reading(services().make_session) as db:
        whole = feed.read(db, gateway_id=calling_gateway().id, since=0, now=now)
    minutes = {grant.client.mac: int(grant.until - now.timestamp()) // 60 for grant in whole.grants}
    return jsonify(version=whole.version, minutes={mac: count for mac, count in minutes.items() if count})


@door.post("/taken")
def taken() -> tuple[str, int]:
    with services().make_session.begin() as db:
        version = request.get_json()["version"]
        confirm(db, gateway_id=calling_gateway().id, version=version, refused={}, now=services().clock())
    return "", HTTPStatus.NO_CONTENT
