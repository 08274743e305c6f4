"""Where the lab's gateways stand in the demo town."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Where `make run` keeps its state.
FOLDER = Path(__file__).resolve().parent.parent / ".run"


@dataclass(frozen=True, slots=True)
class Door:
    """A gateway of the lab: its identity, the site it stands at, the network it serves, and its kind with its options.

    `translates` says that the portal sees its own address in the place of its clients'. `radios` are interfaces that it
    has for its agent to switch off and on, beside the one that its clients are on.
    """

    identity: str
    site: str
    network: str
    kind: str = "nftables"
    options: Mapping[str, str] = field(default_factory=dict)
    translates: bool = False
    radios: tuple[str, ...] = ()


STATION = Door("gare-viotte-libre", "gare-viotte", "wifilib")
BATTANT = Door("battant-libre", "battant", "wifilib")
LIBRARY = Door("grande-bibliotheque", "grande-bibliotheque", "bibliotheques")
SCHOOL = Door("elementaire-battant", "elementaire-battant", "ecoles", radios=("wlan0",))
# The hotspots of `make run`; the phone begins at the first.
OPEN = (STATION, LIBRARY)
