"""Masking of devices and persons in the log until a reason is given to see more. Pure.

Enough stays to tell two rows apart and to read a row aloud; not enough to find the device or the person elsewhere.
"""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass

HIDDEN = "…"
VISIBLE_DIGITS = 4


class MaskedField(enum.StrEnum):
    """The classes of masked fields: each is unmasked separately."""

    # MAC addresses, addresses, ports.
    DEVICES = "devices"
    # Pseudonyms and the numbers of passes.
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class Visibility:
    """The masking in force for one viewer: everything but what was `lifted`."""

    lifted: frozenset[MaskedField] = frozenset()

    def mac(self, mac: str | None) -> str:
        """The last two octets: ``…:0a:01``."""
        if not mac or MaskedField.DEVICES in self.lifted:
            return mac or ""
        return f"{HIDDEN}:{':'.join(mac.split(':')[-2:])}"

    def address(self, address: str | None) -> str:
        """The last part: ``….5`` or ``…:5``."""
        if not address or MaskedField.DEVICES in self.lifted:
            return address or ""
        whole = ipaddress.ip_address(address).exploded
        mark = ":" if ":" in whole else "."
        last = whole.rpartition(mark)[2]
        return f"{HIDDEN}{mark}{last.lstrip('0') or '0'}"

    def ports(self, first: int | None, last: int | None) -> str:
        if first is None or last is None:
            return ""
        return f"{first}-{last}" if MaskedField.DEVICES in self.lifted else HIDDEN

    def subject(self, subject: str | None) -> str:
        """The first four digits of a pseudonym: ``ada0…``."""
        if not subject or MaskedField.PERSONS in self.lifted:
            return subject or ""
        return f"{subject[:VISIBLE_DIGITS]}{HIDDEN}"

    def pass_mark(self, mark: str | None) -> str:
        """The batch, and not which of its tickets: ``12-…``."""
        if not mark or MaskedField.PERSONS in self.lifted:
            return mark or ""
        return f"{mark.partition('-')[0]}-{HIDDEN}"


MASKED = Visibility()
