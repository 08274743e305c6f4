"""A gateway of memory alone: it takes what the feed says and answers who passes."""

from __future__ import annotations

from collections.abc import Iterable

from gateways.types import Grant, MacAddress


class FakeGateway:
    """Holds grants and keeps their deadlines. `version` is that of the feed it has taken; 0 is none."""

    def __init__(self) -> None:
        self.version = 0
        self._grants: dict[int, Grant] = {}

    def take(self, *, version: int, full: bool, grants: Iterable[Grant], ends: Iterable[int]) -> None:
        """Take one answer of the feed: the whole truth where it is `full`, else what has changed."""
        if full:
            self._grants.clear()
        self._grants.update((grant.number, grant) for grant in grants)
        for number in ends:
            self._grants.pop(number, None)
        self.version = version

    def end_of(self, mac: MacAddress, *, now: float) -> float | None:
        """Until when this client's packets would pass, in seconds since the epoch; None where they do not."""
        ends = (grant.until for grant in self._grants.values() if grant.client.mac == mac)
        return max((end for end in ends if now < end), default=None)
