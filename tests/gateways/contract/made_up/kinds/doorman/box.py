"""The controller: whom it lets in, and whether it answers."""

from __future__ import annotations

from collections.abc import Iterable


class Doorman:
    """Knows cards and no time. Raises ConnectionError while it is away."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.is_there = True

    def let_in_only(self, macs: Iterable[str]) -> None:
        if not self.is_there:
            raise ConnectionError("the doorman does not answer")
        self.inside = set(macs)


# By the identity of the gateway: what an address and a port are in the field.
DOORMEN: dict[str, Doorman] = {}
