"""What past is wanted, and what came of it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """From the local midnight of `begins` until `ends`, which is the present: who is online then stays online.

    `sessions` counts the stays that begin with a sign-in; a device that goes on under a new address adds one more.
    """

    sessions: int
    begins: date
    ends: datetime
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written, by table."""

    rows: dict[str, int]

    @property
    def sessions(self) -> int:
        return self.rows["access_sessions"]
