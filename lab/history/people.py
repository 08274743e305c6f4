"""Who comes: devices that are new, and devices that come back, the faithful ones more often than others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random

# Visits of late, of which one is drawn when somebody comes back: who came often is there often.
MEMORY = 60_000
# An odd factor visits every number below 2**40 once: addresses that look drawn and are never the same.
_SCATTER, _FORTY_BITS = 0x9E3779B97F, (1 << 40) - 1
_FIRST_OCTETS = ("02", "06", "0a", "0e", "da", "ee", "76", "4a")


@dataclass(frozen=True, slots=True)
class Device:
    """A device of a person on one network. `host` is the last part of its usual address."""

    mac: str
    subject: str
    entitlement_id: int
    method: str
    host: int


class Crowd:
    """The devices of one network."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._visits: list[Device] = []
        self._oldest = 0
        self._busy_until: dict[str, float] = {}

    def back(self, at: float, share: float) -> Device | None:
        """Somebody who was here before and is not online, in `share` of the cases; else None."""
        if not self._visits or self._rng.random() >= share:
            return None
        device = self.anybody()
        return None if self._busy_until.get(device.mac, 0.0) > at else device

    def anybody(self) -> Device:
        """Somebody who was here before."""
        return self._visits[int(self._rng.random() * len(self._visits))]

    def remember(self, device: Device, until: float) -> None:
        self._busy_until[device.mac] = until
        if len(self._visits) < MEMORY:
            self._visits.append(device)
        else:
            self._visits[self._oldest] = device
            self._oldest = (self._oldest + 1) % MEMORY

    def forget_idle(self, at: float) -> None:
        """Drop from memory who is not online any more."""
        self._busy_until = {mac: until for mac, until in self._busy_until.items() if until > at}


def mac_of(number: int) -> str:
    """The address of the device with this number: locally administered, like those that phones make up."""
    bits = f"{number * _SCATTER & _FORTY_BITS:010x}"
    return f"{_FIRST_OCTETS[number & 7]}:{bits[:2]}:{bits[2:4]}:{bits[4:6]}:{bits[6:8]}:{bits[8:]}"


def subject_of(number: int, seed: int) -> str:
    """A pseudonym that is nobody's, in the form of the real ones."""
    return hashlib.blake2b(b"%d of %d" % (number, seed), digest_size=16).hexdigest()
