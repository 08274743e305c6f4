"""Where the lab's gateways stand in the demo town."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Where `make run` keeps its state.
FOLDER = Path(__file__).resolve().parent.parent / ".run"


@dataclass(frozen=True, slots=True)
class Door:
    """A gateway of the lab: its identity, the site it stands at, and the network it serves."""

    identity: str
    site: str
    network: str


STATION = Door("gare-viotte-libre", "gare-viotte", "wifilib")
BATTANT = Door("battant-libre", "battant", "wifilib")
LIBRARY = Door("grande-bibliotheque", "grande-bibliotheque", "bibliotheques")
# The hotspots of `make run`; the phone begins at the first.
OPEN = (STATION, LIBRARY)
