"""The few words that every ticket carries, in one language. They are the visitor's, not the desk's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TicketWords:
    """`join` and `redeem` stand at the two codes; `by_hand` does without a camera; `end` says until when it holds."""

    wifi: str
    join: str
    redeem: str
    by_hand: str
    end: str
