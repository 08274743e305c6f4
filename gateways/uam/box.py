"""What the lines for a box of these makes are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateways.set_up import Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFacts:
    """What a box is told of its portal. `landing` is where its redirect leads to; `radius` names the machine with
    FreeRADIUS, taken to be the portal's own. `uamsecret` is for makes that sign.
    """

    identity: str
    host: str
    landing: str
    radius: str
    shared_secret: str = field(repr=False)
    uamsecret: str = field(repr=False)
    coa_port: str = "3799"
    interim_seconds: str = "300"

    @property
    def radius_address(self) -> str:
        """For boxes that take no name: what to put there, which the portal does not know."""
        return f"ADDRESS-OF-{self.radius}"


# The lines of one make.
MakeLines = Callable[[BoxFacts], tuple[Lines, ...]]
