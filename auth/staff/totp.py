"""Codes that change every thirty seconds (TOTP, RFC 6238), and recovery codes for the day the phone is lost. Pure."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError

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
    """The code of one time step (RFC 6238 section 4)."""
    return _totp(secret, digits=digits).generate_otp(step)


def step_of(code: str, *, secret: bytes, now: datetime) -> int | None:
    """The time step whose code this is, near `now`; None where it is none.

    The caller keeps the step and takes none twice (RFC 6238 section 5.2): `auth.staff.signin.claim_step`.
    """
    typed = "".join(code.split())
    # pyotp takes full-width digits for plain ones; no authenticator shows those.
    if not typed.isascii():
        return None
    try:
        return _totp(secret).verify_and_get_timecode(typed, for_time=now, valid_window=DRIFT_STEPS)
    except OTPVerificationError:
        return None


def enrolment_uri(secret: bytes, *, login: str, issuer: str) -> str:
    """The URI in the enrolment's QR code (Key Uri Format of Google Authenticator)."""
    return _totp(secret).provisioning_uri(name=login, issuer_name=issuer)


def as_base32(secret: bytes) -> str:
    """The secret as an authenticator takes it from the keyboard."""
    return base64.b32encode(secret).decode().rstrip("=")


def _totp(secret: bytes, digits: int = DIGITS) -> pyotp.TOTP:
    """HMAC-SHA-1, as every authenticator knows it. Raises ValueError for a secret of less than 112 bits."""
    return pyotp.TOTP(as_base32(secret), digits=digits, interval=STEP_SECONDS)


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
