"""Whose packet FreeRADIUS asks about: each gateway's client block has a token of its own (docs/gateway-radius.md)."""

from __future__ import annotations

import hmac
import re
import time
from http import HTTPStatus

from flask import abort, current_app, g, request

from gateways.radius.attributes import Attributes
from gateways.registry import kind_of
from portal.gateway_api.exchanges import note
from portal.gateway_api.secrets import secret_of, secrets_of
from portal.services import services
from sites.models import Gateway

PURPOSE = "radius-caller"
# One exchange a second is enough to read, and a gateway that goes wild fills nothing.
NOTE_EVERY_SECONDS = 1.0
_DIGITS = re.compile(r"\d+")


def token_of(gateway: Gateway) -> str:
    """What the gateway's client block bears: its identity and a secret."""
    return f"{gateway.identity}.{secret_of(gateway, PURPOSE)}"


def demand_token() -> None:
    """Answer 401 to whoever does not bring the token of a gateway that speaks RADIUS."""
    gateway = gateway_of(request.headers.get("Authorization", ""))
    if gateway is None:
        abort(HTTPStatus.UNAUTHORIZED)
    g.gateway = gateway


def gateway_of(authorization: str) -> Gateway | None:
    """The gateway that speaks RADIUS whose token stands in this header."""
    scheme, _, token = authorization.partition(" ")
    identity, _, secret = token.strip().partition(".")
    gateway = services().places.by_identity(identity) if scheme.lower() == "bearer" else None
    if gateway is None or kind_of(gateway.kind).radius is None or not _is_good(gateway, secret):
        return None
    return gateway


class ForeignPacket(Exception):
    """The packet calls itself another gateway than the one whose client block it came in by: the name is its text."""


def refuse_foreign(gateway: Gateway, packet: Attributes) -> None:
    """Raise `ForeignPacket` where the NAS-Identifier is not this gateway's."""
    named = packet.text("NAS-Identifier")
    own = gateway.option("nas_identifier")
    if not named or named in (own, gateway.identity):
        return
    if own or any(
        named in (other.identity, other.option("nas_identifier"))
        for other in services().places.gateways()
        if other.id != gateway.id and kind_of(other.kind).radius is not None
    ):
        raise ForeignPacket(named)


def tell(gateway: Gateway, said: str, answered: str) -> None:
    """Keep an exchange for staff: of those that are alike but for numbers, one in `NOTE_EVERY_SECONDS`."""
    last: dict[tuple[int, str], float] = current_app.extensions.setdefault("arobase.radius_notes", {})
    about = gateway.id, _DIGITS.sub("", answered)
    if time.monotonic() - last.get(about, float("-inf")) < NOTE_EVERY_SECONDS:
        return
    last[about] = time.monotonic()
    note(gateway, said, answered)


def _is_good(gateway: Gateway, secret: str) -> bool:
    given = secret.encode()
    return any(hmac.compare_digest(given, good.encode()) for good in secrets_of(gateway, PURPOSE))
