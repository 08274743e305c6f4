"""The user and the secret by which one access session is known at one gateway.

They are made of the gateway's own key, so nothing is stored, and the same come again for as long as the session is
open: gateways repeat requests, and some ask again every minute. The user says which session it is, with a check, so
that a number alone is not asked about; the secret is bound to the device's MAC address too.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from gateways.types import MacAddress

# Some boxes take 31 characters, and nothing but letters and digits.
_USER = re.compile(r"([1-9][0-9]{0,9})x([a-z2-7]{10})")
SECRET_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    secret: str = field(repr=False)


def credentials_of(key: str, number: int, mac: MacAddress) -> Credentials:
    """Those of the access session `number` of the device `mac`, at the gateway whose key this is."""
    return Credentials(f"{number}x{_made(key, f'user {number}')[:10]}", _made(key, f"secret {number} {mac}"))


def number_of(key: str, user: str) -> int | None:
    """The access session that a user of ours names; None for any other user."""
    found = _USER.fullmatch(user)
    if found is None:
        return None
    number, check = found.groups()
    is_ours = hmac.compare_digest(check, _made(key, f"user {number}")[:10])
    return int(number) if is_ours and int(number) < 2**31 else None


# A request asks for the same twice, and a gateway for the same client again and again.
@functools.lru_cache(maxsize=4096)
def _made(key: str, text: str) -> str:
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:SECRET_LENGTH]
