"""The box itself, which keeps what it was once given."""

from __future__ import annotations


class Hourglass:
    """Holds for each card when its sand has run out, in seconds since the epoch."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}

    def turn(self, mac: str, minutes: int, *, now: float) -> None:
        """Let a card pass for so many minutes. One that runs already cannot be turned."""
        if now >= self.ends.get(mac, 0.0):
            self.ends[mac] = now + 60 * minutes
