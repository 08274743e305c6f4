"""A clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A Tuesday at noon in Besançon: the libraries are open.
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


class MovingClock:
    """Stands still until `advance`."""

    def __init__(self, start: datetime = NOON) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **length: float) -> datetime:
        self.now += timedelta(**length)
        return self.now
