"""Codes that change every thirty seconds (TOTP, RFC 6238), and recovery codes for the day the phone is lost. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
# A phone's clock may be one step off, either way (RFC 6238 section 5.2).
DRIFT_STEPS = 1

# No look-alikes: these are copied from paper in a hurry.
RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_SYMBOLS = 10
RECOVERY_CODES = 10

Choose = Callable[[Sequence[str]], str]


def totp(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of one time step (RFC 6238 section 4 over RFC 4226 section 5.3, HMAC-SHA-1)."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(code: str, *, secret: bytes, now: datetime) -> int | None:
    """The time step whose code this is, near `now`; None where it is none."""
    typed = "".join(code.split())
    if not (typed.isascii() and typed.isdigit() and len(typed) == DIGITS):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp(secret, step), typed):
            return step
    return None


def enrolment_uri(secret: bytes, *, login: str, issuer: str) -> str:
    """What the authenticator's camera reads (Key Uri Format of Google Authenticator)."""
    label = quote(f"{issuer}:{login}", safe=":")
    return f"otpauth://totp/{label}?{urlencode({'secret': as_base32(secret), 'issuer': issuer}, quote_via=quote)}"


def as_base32(secret: bytes) -> str:
    """The secret as an authenticator takes it from the keyboard."""
    return base64.b32encode(secret).decode().rstrip("=")


def make_recovery_codes(choose: Choose = secrets.choice) -> list[str]:
    """Ten codes of 49 random bits each, written 5 by 5."""
    drawn = [
        "".join(choose(RECOVERY_ALPHABET) for _ in range(RECOVERY_SYMBOLS)) for _ in range(RECOVERY_CODES)
    ]
    return [f"{code[:5]}-{code[5:]}" for code in drawn]


def read_recovery_code(text: str) -> str | None:
    """The symbols of a recovery code however it was typed; None where it cannot be one."""
    symbols = "".join(symbol for symbol in text.casefold() if symbol.isalnum())
    if len(symbols) != RECOVERY_SYMBOLS or not set(symbols) <= set(RECOVERY_ALPHABET):
        return None
    return symbols
