"""The report on the clients' traffic: bytes, packets, and idle times. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateways.nftables.kernel import Count
from gateways.types import IpAddress

NOTHING = Count(0, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the kernel. `at` is by CLOCK_BOOTTIME."""

    at: float
    up: Mapping[int, Count]
    down: Mapping[int, Count]
    held: frozenset[int]
    refused: Mapping[str, int]


@dataclass(slots=True)
class Ledger:
    """Remembers who moved when, and whose last bytes the portal has already."""

    # Number: bytes sent up at the last look, and when they last grew. Traffic towards a client proves nothing
    # about the client: it goes on when the phone has left.
    moved: dict[int, tuple[int, float]] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)

    def rows(
        self, reading: Reading, addresses: Callable[[int], Iterable[IpAddress]]
    ) -> Iterator[dict[str, Any]]:
        """One row for everybody who is held, and for everybody whose last bytes are not settled.

        One at a time: a town's worth of them at once is many bytes.
        """
        self.settled -= reading.held
        counted = reading.up.keys() | reading.down.keys()
        for number in self.moved.keys() - counted - reading.held:
            del self.moved[number]
        self.settled &= counted
        for number in sorted((counted - self.settled) | reading.held):
            up, down = reading.up.get(number, NOTHING), reading.down.get(number, NOTHING)
            yield {
                "number": number,
                "bytes_up": up.bytes,
                "bytes_down": down.bytes,
                "packets_up": up.packets,
                "packets_down": down.packets,
                "idle_seconds": int(self._idle(number, up.bytes, reading.at)),
                "addresses": [str(each) for each in addresses(number)],
            }

    def settle(self, reading: Reading) -> None:
        """The portal has taken this reading: those who are no longer held have nothing more to tell."""
        self.settled |= (reading.up.keys() | reading.down.keys()) - reading.held

    def _idle(self, number: int, sent: int, at: float) -> float:
        before, since = self.moved.get(number, (-1, at))
        if sent != before:
            since = at
        self.moved[number] = (sent, since)
        return max(0.0, at - since)


@dataclass(slots=True)
class Alert:
    """Notices bursts of refusals: one alert for each, however long it lasts."""

    quiet_seconds: float = 60.0
    seen: int | None = None
    until: float = float("-inf")

    def grew(self, total: int, at: float) -> bool:
        """Whether a new burst has begun. `total` only grows, but for a new life of the table."""
        before, self.seen = self.seen, total
        if before is None or total <= before:
            return False
        is_new = at >= self.until
        self.until = at + self.quiet_seconds
        return is_new
