"""Whose call this is: every gateway has a credential of its own, sent as a bearer token (RFC 6750 section 2.1)."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from flask import abort, g, request

from gateways.landing_token import credential_digest
from portal.services import services
from sites.models import Gateway


def demand_credential(kind: str) -> None:
    """Answer 401 to whoever does not bring the credential of a gateway of this kind."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    gateway = _of(credential.strip()) if scheme.lower() == "bearer" and credential else None
    if gateway is None or gateway.kind != kind:
        abort(HTTPStatus.UNAUTHORIZED)
    g.gateway = gateway


def calling_gateway() -> Gateway:
    """The gateway whose credential came with this request, after `demand_credential`."""
    return cast(Gateway, g.gateway)


def _of(credential: str) -> Gateway | None:
    return services().places.by_digest(credential_digest(credential))
