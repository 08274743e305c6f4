"""Estimate of distinct devices without a list of them: HyperLogLog over keyed hashes.

A device's address goes through HMAC-SHA-256 with the month's salt; the sketch keeps, for each of 4,096 registers, how
improbable the rarest hash was that fell into it. The standard error is 1.04 / √4096 = 1.6 %; below some hundreds of
devices it is far smaller. Sketches made with one salt merge: register by register, the greater one.

Flajolet et al. 2007 for the sketch; Ertl 2017, arXiv:1702.01284, algorithm 6, for the estimate, which needs no
corrections for small or large numbers, and no tables.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterable

PRECISION = 12
REGISTERS = 1 << PRECISION
REST_BITS = 64 - PRECISION
STANDARD_ERROR = 1.04 / math.sqrt(REGISTERS)
SALT_BYTES = 32
_SPARSE, _DENSE = b"s", b"d"
_ENTRY = 3


class Sketch:
    """The registers. Adding and merging in any order give the same sketch."""

    __slots__ = ("_few", "_registers")

    def __init__(self) -> None:
        self._registers = bytearray(REGISTERS)
        # The registers that are set, where they are few: merging them takes a fraction of the time.
        self._few: list[tuple[int, int]] | None = None

    def add(self, device: str, *, salt: bytes) -> None:
        """Count a device; a second time changes nothing."""
        digest = hmac.digest(salt, device.encode(), hashlib.sha256)
        number = int.from_bytes(digest[:8], "big")
        register, rest = number >> REST_BITS, number & ((1 << REST_BITS) - 1)
        rank = REST_BITS - rest.bit_length() + 1
        self._registers[register] = max(self._registers[register], rank)
        self._few = None

    def merge(self, other: Sketch) -> None:
        if other._few is None:
            self._registers = bytearray(map(max, self._registers, other._registers))
        else:
            for register, rank in other._few:
                if rank > self._registers[register]:
                    self._registers[register] = rank
        self._few = None

    def estimate(self) -> int:
        """About how many different devices were counted."""
        counts = [0] * (REST_BITS + 2)
        for rank in self._registers:
            counts[rank] += 1
        if counts[0] == REGISTERS:
            return 0
        z = REGISTERS * _tau(1 - counts[REST_BITS + 1] / REGISTERS)
        for count in reversed(counts[1 : REST_BITS + 1]):
            z = 0.5 * (z + count)
        z += REGISTERS * _sigma(counts[0] / REGISTERS)
        return round(REGISTERS * REGISTERS / (2 * math.log(2) * z))

    def to_bytes(self) -> bytes:
        """The registers as bytes: the few that are set, or all, whichever is shorter. Equal sketches, equal bytes."""
        used = [(number, rank) for number, rank in enumerate(self._registers) if rank]
        if len(used) * _ENTRY >= REGISTERS:
            return _DENSE + bytes(self._registers)
        return _SPARSE + b"".join(number.to_bytes(2, "big") + bytes([rank]) for number, rank in used)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Sketch:
        """The sketch that `to_bytes` wrote. Raises ValueError for anything else."""
        sketch, kind, rest = cls(), stored[:1], stored[1:]
        if kind == _DENSE and len(rest) == REGISTERS:
            sketch._registers[:] = rest
        elif kind == _SPARSE and len(rest) % _ENTRY == 0:
            entries = zip(rest[0::3], rest[1::3], rest[2::3], strict=True)
            few = [(high << 8 | low, rank) for high, low, rank in entries]
            for register, rank in few:
                sketch._registers[register] = rank
            sketch._few = few
        else:
            raise ValueError("not a sketch")
        return sketch


def count(devices: Iterable[str], *, salt: bytes) -> Sketch:
    """The sketch of these devices."""
    sketch = Sketch()
    for device in devices:
        sketch.add(device, salt=salt)
    return sketch


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """One sketch of all that these have counted. They must come from one salt."""
    whole = Sketch()
    for sketch in sketches:
        whole.merge(sketch)
    return whole


def _sigma(x: float) -> float:
    y, z, last = 1.0, x, -1.0
    while z != last:
        x *= x
        last = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, last = 1.0, 1 - x, -1.0
    while z != last:
        x = math.sqrt(x)
        last = z
        y *= 0.5
        z -= (1 - x) * (1 - x) * y
    return z / 3
