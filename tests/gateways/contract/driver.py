"""What the contract asks of a kind's driver: the gateway's side, as it is in the field, and the phones behind it.

A kind has a module of its name in ``drivers``, with ``opened(folder)``: a context that gives a `Driver`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateways.types import Client
from tests.gateways.contract.portal import ContractPortal


@dataclass(frozen=True, slots=True)
class Download:
    """How many bytes arrived, and in how many seconds."""

    size: int
    seconds: float


class Driver(Protocol):
    """One gateway that runs, at a portal that runs."""

    portal: ContractPortal

    def newcomer(self) -> Client:
        """A client that has never been here."""

    def passes(self, client: Client) -> bool:
        """Whether a packet of this client comes through now."""

    def end_of(self, client: Client) -> float | None:
        """When the gateway itself will end this client's access, in seconds since the epoch; None where it will not."""

    def learn(self) -> None:
        """What happens by itself, or by the guest's browser, until the gateway has asked for a change once more."""

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""

    def power_cut(self) -> None:
        """Take the gateway's memory from it, and start it again."""

    def portal_away(self) -> None:
        """Stop the portal."""

    def portal_back(self) -> None:
        """Start the portal again."""

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        """Send so much to the client, faster than a limited rate lets it through. For kinds that see traffic alone."""
