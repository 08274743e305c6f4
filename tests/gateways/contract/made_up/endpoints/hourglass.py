"""What an hourglass asks: whom to let pass, and for how many minutes."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from gateways.hourglass.kind import KIND  # type: ignore[import-not-found]

from db.engine import reading
from gateways.set_up import Lines, SetUp
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.credentials import calling_gateway, demand_credential
from portal.gateway_api.endpoints import Endpoint
from portal.gateway_api.secrets import secret_of
from portal.services import services
from sessions import feed
from sites.models import Gateway

door = Blueprint(KIND.name, __name__, url_prefix=f"/gateways/{KIND.name}")


def _lines(gateway: Gateway) -> SetUp:
    secret = secret_of(gateway, "hourglass")
    text = f"portal {services().settings.portal_url}\nsecret {secret}\n"
    return SetUp((Lines("Settings, Portal", text),), (secret,))


ENDPOINT = Endpoint(door, set_up=_lines)


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
