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
from portal.gateway_api import radius_answers, radius_books, radius_joins
from portal.gateway_api.credentials import calling_gateway
from portal.gateway_api.exchanges import heard
from portal.gateway_api.radius_answers import Answer
from portal.gateway_api.radius_callers import ForeignPacket, demand_token, refuse_foreign, tell
from portal.http.security_headers import answer_a_program

blueprint = Blueprint("radius", __name__, url_prefix="/gateways/radius/v1")
# A packet of 4,096 octets is some 20 kB of JSON.
LARGEST_BODY = 128 * 1024


@blueprint.before_request
def know_the_gateway() -> None:
    request.max_content_length = LARGEST_BODY
    demand_token()
    answer_a_program()


@blueprint.post("/authorize")
def authorize() -> Response:
    """Whether this device may pass, and for how long."""
    packet = _packet()
    if packet.word("Arobase-Outcome") == "unsigned":
        radius_answers.unsigned(calling_gateway(), packet)
        return _answer(HTTPStatus.UNAUTHORIZED, replies.refuse())
    heard(calling_gateway())
    answer = _asked(packet)
    return _answer(HTTPStatus.OK if answer.is_accepted else HTTPStatus.UNAUTHORIZED, answer.body)


def _asked(packet: Attributes) -> Answer:
    if request.headers.get("X-FreeRADIUS-Server") == radius_joins.SERVER:
        return radius_joins.authorize(calling_gateway(), packet)
    return radius_answers.authorize(calling_gateway(), packet)


@blueprint.post("/post-auth")
def post_auth() -> Response:
    """How it went with a password that FreeRADIUS compared itself (CHAP, MS-CHAP)."""
    is_right = radius_answers.finish(calling_gateway(), _packet())
    return _answer(HTTPStatus.OK if is_right else HTTPStatus.UNAUTHORIZED, {})


@blueprint.post("/accounting")
def accounting() -> tuple[str, int]:
    """What happened to a session, and what it has counted. All that is stored, or never could be, is acknowledged: a
    gateway sends again for ever what is not."""
    packet = _packet()
    heard(calling_gateway())
    radius_books.take(calling_gateway(), packet)
    return "", HTTPStatus.NO_CONTENT


@blueprint.errorhandler(MalformedRequest)
def unreadable(error: MalformedRequest) -> Response | tuple[str, int]:
    tell(calling_gateway(), "a packet that cannot be read", str(error)[:200])
    if request.endpoint == f"{blueprint.name}.{accounting.__name__}":
        return "", HTTPStatus.NO_CONTENT
    return _answer(HTTPStatus.UNAUTHORIZED, replies.refuse("This request cannot be read."))


@blueprint.errorhandler(ForeignPacket)
def foreign(error: ForeignPacket) -> Response:
    tell(calling_gateway(), f"a packet with the NAS-Identifier of another gateway, {error}", "refused")
    return _answer(HTTPStatus.UNAUTHORIZED, replies.refuse("This gateway is recorded under another name."))


def _packet() -> Attributes:
    """The packet. Raises MalformedRequest and `ForeignPacket`."""
    try:
        packet = attributes.read(request.get_json(silent=True))
    except RecursionError as error:
        raise MalformedRequest("too deep") from error
    refuse_foreign(calling_gateway(), packet)
    return packet


def _answer(status: HTTPStatus, body: dict[str, Any]) -> Response:
    response: Response = jsonify(body)
    response.status_code = status
    return response
