"""The landing token: the gateway's signed word that this client stands behind it.

A gateway's redirector signs it with a key that the portal tells it with the feed (JWT, HS256, RFC 7519); the portal
reads gateway, MAC and address from it and from nowhere else. It lives ten minutes.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json

import jwt
from jwt.utils import base64url_decode

from gateways.landing_signature import AUDIENCE, LIFE_SECONDS, Landing, sign
from gateways.types import InvalidMac, parse_mac

__all__ = [
    "AUDIENCE",
    "LIFE_SECONDS",
    "SKEW_SECONDS",
    "ExpiredLanding",
    "ForeignLanding",
    "Landing",
    "credential_digest",
    "issuer",
    "sign",
    "verify",
]

SKEW_SECONDS = 60


class ForeignLanding(Exception):
    """The token was not signed by this gateway, was changed, or is for somebody else."""


class ExpiredLanding(ForeignLanding):
    """The token was ours and is too old."""


def credential_digest(credential: str) -> str:
    """The form in which the portal keeps a gateway's credential (SHA-256, hex)."""
    return hashlib.sha256(credential.encode()).hexdigest()


def issuer(token: str) -> str:
    """The gateway that the token claims to come from: unproven, only to find the key to `verify` with."""
    try:
        # Two full readings of one token would be a quarter of what the first page costs.
        claimed = json.loads(base64url_decode(token.split(".")[1]))["iss"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ForeignLanding("not a token") from error
    if not isinstance(claimed, str):
        raise ForeignLanding("no issuer")
    return claimed


def verify(token: str, *, gateway: str, key: bytes, now: float) -> Landing:
    """Read a token that `gateway` signed.

    Raises `ExpiredLanding` when it is over, `ForeignLanding` for everything else that is not exactly ours.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=gateway,
            options={
                "require": ["aud", "iss", "sub", "iat", "exp"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        landing = Landing(
            gateway, parse_mac(claims["sub"]), ipaddress.ip_address(claims["ip"]), "hearsay" in claims
        )
        issued, expires = int(claims["iat"]), int(claims["exp"])
    except (jwt.InvalidTokenError, InvalidMac, ValueError, KeyError, TypeError) as error:
        raise ForeignLanding(str(error)) from error
    if expires - issued > LIFE_SECONDS or issued > now + SKEW_SECONDS:
        raise ForeignLanding("its times are not ours")
    if now >= expires:
        raise ExpiredLanding
    return landing
