"""What a gateway may say is wrong with it, for both sides: docs/gateway-nftables-protocol.md, "POST report"."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Any

LONGEST_DETAIL, MOST_FAULTS = 100, 32
CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
# Names of interfaces, tables and files, and the system's own words: no markup, no other alphabet, no line ends.
DETAIL = re.compile(r"[ -~]{0,100}")


class FaultCode(enum.StrEnum):
    BLOCKED_4 = "blocked4"
    BLOCKED_6 = "blocked6"
    NO_ROUTE_4 = "no_route4"
    NO_ROUTE_6 = "no_route6"
    UNPROVED = "unproved"
    OFFLOADED = "offloaded"
    UNCHECKED = "unchecked"
    UNREADABLE = "unreadable"
    DISK = "disk"
    SAME_NETWORK = "same_network"
    LEASES_FILE = "leases_file"
    DHCP_POOL = "dhcp_pool"
    BRIDGED = "bridged"
    # The access points of a school cannot be switched off and on.
    RADIO = "radio"
    # Of a controller: it said yes, and the device does not pass.
    NOT_AUTHORIZED = "not_authorized"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, by its code, and the names that help whoever looks."""

    code: str
    detail: str = ""


def read_faults(rows: Any) -> tuple[Fault, ...]:
    """Read the `faults` of a report. A code that is new to us is taken; an odd or over-long text is not.

    Raises ValueError, KeyError or TypeError.
    """
    if not isinstance(rows, list) or len(rows) > MOST_FAULTS:
        raise ValueError("faults must be a short list")
    return tuple(
        Fault(_matching(row["code"], CODE), _matching(row.get("detail", ""), DETAIL)) for row in rows
    )


def _matching(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("not a short plain text")
    return value
