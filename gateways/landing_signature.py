"""What a gateway says of the client in front of it, and how it signs that: without a library, which an agent of ten
thousand clients would carry for nothing else."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from gateways.types import IpAddress, MacAddress

AUDIENCE = "arobase-landing"
LIFE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Landing:
    """A client in front of a gateway: `gateway` is the gateway's identity.

    `is_hearsay` where the browser said so itself and no gateway's signature agreed: such a landing opens the first page
    and nothing that is somebody's.
    """

    gateway: str
    mac: MacAddress
    address: IpAddress
    is_hearsay: bool = False


def sign(landing: Landing, *, key: bytes, now: float) -> str:
    """Sign `landing` (JWT, HS256, RFC 7515 section 3.1). `now` is in seconds since the epoch by the portal's clock."""
    claims = {
        "aud": AUDIENCE,
        "iss": landing.gateway,
        "sub": landing.mac,
        "ip": str(landing.address),
        "iat": int(now),
        "exp": int(now) + LIFE_SECONDS,
    }
    if landing.is_hearsay:
        claims["hearsay"] = True
    body = HEADER + b"." + _letters(json.dumps(claims, separators=(",", ":")).encode())
    return (body + b"." + _letters(hmac.digest(key, body, "sha256"))).decode()


def _letters(octets: bytes) -> bytes:
    """Base64 for addresses, without the signs that fill up (RFC 7515 section 2)."""
    return urlsafe_b64encode(octets).rstrip(b"=")


HEADER = _letters(b'{"alg":"HS256","typ":"JWT"}')
