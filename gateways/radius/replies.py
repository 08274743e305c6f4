"""What rlm_rest is answered: attributes for the reply, in the one form in which FreeRADIUS changes nothing of them.

A number that is none is dropped with a warning, and the login accepted without that limit; a negative one, or one of
more than 32 bits, becomes another. A text is expanded (`%{User-Password}`) unless it says that it is not to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateways.radius.profile import RadiusProfile

LARGEST = 2**32 - 1
# Gateways ignore an interval of less than a minute, and take their own (CoovaChilli), or ask for more (RFC 2869
# section 2.1: it SHOULD NOT be smaller than 600).
SHORTEST_INTERIM_SECONDS = 60


def accept(
    profile: RadiusProfile,
    *,
    seconds: int,
    interim_seconds: int,
    idle_seconds: int = 0,
    down_kbps: int = 0,
    up_kbps: int = 0,
    number: int,
) -> dict[str, Any]:
    """The reply attributes of an Access-Accept for the access session `number`, which has `seconds` left.

    Rates and idle time of 0 are left out: to some gateways 0 means "none at all". Raises ValueError where no time is
    left, since that would be told as a session without an end.
    """
    if seconds < 1:
        raise ValueError("no time is left")
    attributes: dict[str, int | str] = {
        "Session-Timeout": seconds,
        "Acct-Interim-Interval": max(SHORTEST_INTERIM_SECONDS, interim_seconds),
        "Class": class_of(number),
    }
    if idle_seconds > 0 and profile.keeps_idle_timeout:
        attributes["Idle-Timeout"] = idle_seconds
    if down_kbps > 0 and up_kbps > 0:
        attributes |= profile.rates(down_kbps, up_kbps)
    return in_list("reply", attributes)


def refuse(message: str = "") -> dict[str, Any]:
    """The body of a refusal, which goes with status 401: with any other, FreeRADIUS reads no body."""
    return in_list("reply", {"Reply-Message": message[:253]} if message else {})


def in_list(name: str, attributes: Mapping[str, int | str]) -> dict[str, Any]:
    """Attributes of one of FreeRADIUS's lists: reply, control or request."""
    return {f"{name}:{attribute}": _value(value) for attribute, value in attributes.items()}


def _value(value: int | str) -> Any:
    if isinstance(value, str):
        return {"do_xlat": False, "value": [value]}
    return min(max(int(value), 0), LARGEST)


def class_of(number: int) -> str:
    """Class (RFC 2865 section 5.25): the gateway sends it back with all accounting of this session."""
    return f"arobase-{number}"


def number_in(class_: bytes | None) -> int | None:
    """The number of the access session in a Class of ours; None for any other."""
    text = (class_ or b"").decode("ascii", "replace")
    digits = text.removeprefix("arobase-")
    if digits == text or not digits.isascii() or not digits.isdigit() or len(digits) > 10:
        return None
    return int(digits) if 0 < int(digits) < 2**31 else None
