"""openNDS whose authmon asks the portal: by POST at level 3, by GET at level 4."""

from __future__ import annotations

import ipaddress
import re

from gateways.kinds import Capabilities, Kind, Learning, Option
from gateways.sentences import Sentence


def read_level(text: str) -> str:
    """One of the levels at which authmon asks. Raises ValueError."""
    level = text.strip()
    if level in ("1", "2"):
        raise ValueError(
            Sentence(
                "at level %(level)s the browser carries the word: the kind for that is opennds_carried",
                level=level,
            )
        )
    if level == "0":
        raise ValueError(
            Sentence("level 0 shows each token to everybody: set fas_secure_enabled 3, and 3 here")
        )
    if level not in ("3", "4"):
        raise ValueError(Sentence("3, or 4 where access is free"))
    return level


def read_interval(text: str) -> str:
    """The pause between two rounds of authmon, in whole seconds. Raises ValueError."""
    seconds = text.strip()
    if not seconds.isdecimal() or not 1 <= int(seconds) <= 59:
        raise ValueError(Sentence("whole seconds, from 1 to 59: openNDS takes all else for 10"))
    return str(int(seconds))


LEVEL = Option(
    name="level",
    read=read_level,
    default="3",
    help=Sentence("fas_secure_enabled in openNDS: 3, or 4 where access is free and the box has no PHP."),
)
INTERVAL = Option(
    name="poll_interval",
    read=read_interval,
    default="5",
    help=Sentence("Seconds between two questions of authmon (nat_traversal_poll_interval)."),
)


def read_interface(text: str) -> str:
    """The name of a network interface of Linux. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,15}", text):
        raise ValueError(Sentence("the name of the box's interface on the clients' side, like br-lan"))
    return text


def read_portal_address(text: str) -> str:
    """An IPv4 address, or nothing. Raises ValueError."""
    return str(ipaddress.IPv4Address(text)) if text else ""


INTERFACE = Option(
    name="interface",
    read=read_interface,
    default="br-lan",
    help=Sentence("The box's interface on the clients' side (gatewayinterface)."),
)
PORTAL_ADDRESS = Option(
    name="portal_address",
    read=read_portal_address,
    default="",
    help=Sentence(
        "The portal's IPv4 address as the box sees it (fasremoteip); empty: that of the portal's name."
    ),
)

KIND = Kind(
    name="opennds",
    product="openNDS, FAS level 3 or 4",
    capabilities=Capabilities(
        learns=Learning.PULLED,
        # The longest pause that openNDS has by itself, and a round of two requests.
        learns_within_seconds=15,
        ends_by_itself=True,
        # Session lengths are whole minutes.
        finest_seconds=60,
        # Who is in cannot be let in again, and cannot be sent out.
        extends=False,
        revokes=False,
        limits_rates=True,
        limits_volume=False,
        # Bytes come with the end of a stay, not while it lasts.
        accounts=False,
        reports_presence=False,
        is_heard=True,
        translates_addresses=True,
    ),
    options=(LEVEL, INTERVAL, INTERFACE, PORTAL_ADDRESS),
    # A token has 32 bits, and at level 4 the browser reads its hash: whoever counts that far is in without the portal.
    guessed_where=((LEVEL.name, "4"),),
)
