"""What FreeRADIUS asks for the gateways that speak RADIUS (rlm_rest): docs/gateway-radius.md is the contract.

What the statuses mean to it: 200 with a body goes on, 401 with a body refuses and delivers the Reply-Message, and 5xx
has the gateway ask again. 204 on authorize would be an acceptance of nobody in particular: it is never given there.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from gateways.radius import attributes, replies
from gateways.radius.attributes import Attributes, MalformedRequest
from portal.gateway_api import radius_answers
from portal.gateway_api.credentials import calling_gateway
from portal.gateway_api.exchanges import heard
from portal.gateway_api.radius_callers import demand_token, is_foreign, tell

blueprint = Blueprint("radius", __name__, url_prefix="/gateways/radius/v1")
# A packet of 4,096 octets is some 20 kB of JSON.
LARGEST_BODY = 128 * 1024


@blueprint.before_request
def know_the_gateway() -> None:
    request.max_content_length = LARGEST_BODY
    demand_token()


@blueprint.post("/authorize")
def authorize() -> Response:
    """Whether this device may pass, and for how long."""
    packet = _packet()
    if isinstance(packet, str):
        return _refused(packet)
    if packet.word("Arobase-Outcome") == "unsigned":
        radius_answers.unsigned(calling_gateway(), packet)
        return _refused("")
    heard(calling_gateway())
    try:
        answer = radius_answers.authorize(calling_gateway(), packet)
    except MalformedRequest as error:
        return _refused(str(error))
    return _answer(HTTPStatus.OK if answer.is_accepted else HTTPStatus.UNAUTHORIZED, answer.body)


@blueprint.post("/post-auth")
def post_auth() -> Response:
    """How it went with a password that FreeRADIUS compared itself (CHAP, MS-CHAP)."""
    packet = _packet()
    if isinstance(packet, str):
        return _refused(packet)
    try:
        is_right = radius_answers.finish(calling_gateway(), packet)
    except MalformedRequest as error:
        return _refused(str(error))
    return _answer(HTTPStatus.OK if is_right else HTTPStatus.UNAUTHORIZED, {})


def _packet() -> Attributes | str:
    """The packet, or what is wrong with it."""
    gateway = calling_gateway()
    try:
        packet = attributes.read(request.get_json(silent=True))
        is_others = is_foreign(gateway, packet)
    except (MalformedRequest, RecursionError) as error:
        tell(gateway, "a packet that cannot be read", str(error)[:200])
        return "This request cannot be read."
    if is_others:
        name = packet.text("NAS-Identifier")
        tell(gateway, f"a packet with the NAS-Identifier of another gateway, {name}", "refused")
        return "This gateway is recorded under another name."
    return packet


def _refused(message: str) -> Response:
    return _answer(HTTPStatus.UNAUTHORIZED, replies.refuse(message))


def _answer(status: HTTPStatus, body: dict[str, Any]) -> Response:
    response: Response = jsonify(body)
    response.status_code = status
    return response
