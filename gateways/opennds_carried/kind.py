"""openNDS at levels 1 and 2: it hears of a guest from the guest's browser alone."""

from __future__ import annotations

import ipaddress

from gateways.kinds import Capabilities, Kind, Learning, Option
from gateways.opennds.kind import INTERFACE, PORTAL_ADDRESS
from gateways.sentences import Sentence


def read_level(text: str) -> str:
    """One of the levels at which the browser carries. Raises ValueError."""
    level = text.strip()
    if level == "0":
        raise ValueError(
            Sentence("level 0 shows each token to everybody: set fas_secure_enabled 2, and 2 here")
        )
    if level in ("3", "4"):
        raise ValueError(
            Sentence("at level %(level)s the box asks by itself: the kind for that is opennds", level=level)
        )
    if level not in ("1", "2"):
        raise ValueError(Sentence("2, or 1 where the box has no PHP"))
    return level


def read_socket(text: str) -> str:
    """An IPv4 address and a port. Raises ValueError."""
    host, colon, port = text.strip().partition(":")
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        colon = ""
    if not colon or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(Sentence("the box's address on the clients' side and its port, like 10.66.0.1:2050"))
    return f"{address}:{int(port)}"


LEVEL = Option(
    name="level",
    read=read_level,
    default="2",
    help=Sentence("fas_secure_enabled in openNDS: 2, or 1 where the box has no PHP."),
)
GATEWAY_ADDRESS = Option(
    name="gateway_address",
    read=read_socket,
    help=Sentence(
        "Where browsers carry the word, the box's address on the clients' side and its port: 10.66.0.1:2050."
    ),
)

KIND = Kind(
    name="opennds_carried",
    product="openNDS, FAS level 1 or 2",
    capabilities=Capabilities(
        learns=Learning.CARRIED,
        learns_within_seconds=1,
        # By the portal's BinAuth script, to the second.
        ends_by_itself=True,
        extends=False,
        revokes=False,
        limits_rates=True,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
        # At level 1 anybody can write a landing, and at either nobody but the browser says that the box has heard.
        landings_can_be_guessed=True,
    ),
    options=(LEVEL, GATEWAY_ADDRESS, INTERFACE, PORTAL_ADDRESS),
)
