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

    def lets_pass(self, mac: MacAddress, *, now: float) -> bool:
        """Whether this client's packets would pass now, in seconds since the epoch."""
        return any(grant.client.mac == mac and now < grant.until for grant in self._grants.values())
