"""What an operator sets at the record of a gateway that speaks RADIUS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from gateways.kinds import Option
from gateways.radius.replies import SHORTEST_INTERIM_SECONDS
from gateways.sentences import Sentence

LONGEST_INTERIM_SECONDS = 3600
_IDENTIFIER = re.compile(r"[!-~](?:[ -~]{0,61}[!-~])?")


def _addresses(text: str) -> str:
    networks = []
    for part in filter(None, re.split(r"[\s,]+", text)):
        network = ipaddress.ip_network(part)
        if network.prefixlen == 0:
            raise ValueError(
                Sentence(
                    "%(network)s is everybody: write the addresses that the gateway sends RADIUS from",
                    network=network,
                )
            )
        networks.append(str(network.network_address) if network.num_addresses == 1 else str(network))
    if not networks:
        raise ValueError(Sentence("write at least one address, such as 10.1.2.3 or 10.1.2.0/28"))
    return ", ".join(dict.fromkeys(networks))


def _identifier(text: str) -> str:
    if text and not _IDENTIFIER.fullmatch(text):
        raise ValueError(Sentence("write up to 63 printable characters of ASCII, or nothing"))
    return text


def _seconds(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise ValueError(
            Sentence(
                "write whole seconds, from %(least)s to %(most)s",
                least=SHORTEST_INTERIM_SECONDS,
                most=LONGEST_INTERIM_SECONDS,
            )
        )
    if not SHORTEST_INTERIM_SECONDS <= int(text) <= LONGEST_INTERIM_SECONDS:
        raise ValueError(
            Sentence(
                "write from %(least)s to %(most)s seconds",
                least=SHORTEST_INTERIM_SECONDS,
                most=LONGEST_INTERIM_SECONDS,
            )
        )
    return str(int(text))


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(Sentence("write one of %(words)s", words=", ".join(words)))
        return text

    return read


def addresses_in(text: str) -> list[str]:
    """The addresses and prefixes of the option `nas_address`."""
    return text.split(", ")


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text)) if text else ""


def _port(text: str) -> str:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 65535:
        raise ValueError(Sentence("write a port, from 1 to 65535"))
    return str(int(text))


OPTIONS = (
    Option(
        name="nas_address",
        read=_addresses,
        help=Sentence(
            "The addresses from which it sends RADIUS, as FreeRADIUS sees them: 10.1.2.3 or 10.1.2.0/28."
        ),
    ),
    Option(
        name="nas_identifier",
        read=_identifier,
        default="",
        help=Sentence("Its NAS-Identifier; where it is set, packets that name another are refused."),
    ),
    Option(
        name="transport",
        read=_one_of("udp", "radsec"),
        default="udp",
        help=Sentence("radsec: it sends RADIUS over TLS to port 2083 (RFC 6614), with a certificate."),
    ),
    Option(
        name="counts_by",
        read=_one_of("auto", "nas", "client"),
        default="auto",
        help=Sentence(
            "Whose view its counters have: nas (Input is upload), client (Input is download), auto (as it says)."
        ),
    ),
    Option(
        name="interim_seconds",
        read=_seconds,
        default="300",
        help=Sentence("How often it is asked to report each client's traffic."),
    ),
)

# For the kinds whose boxes ask about each device again and again, if they are told to.
REAUTHENTICATES = Option(
    name="reauthenticates",
    read=_one_of("yes", "no"),
    default="no",
    help=Sentence(
        "yes: it is set to authenticate its clients anew again and again, and lets go of those who are refused."
    ),
)

# For the kinds whose boxes listen. The secret is the one of the record's other RADIUS.
COA_OPTIONS = (
    Option(
        name="coa_address",
        read=_address,
        default="",
        help=Sentence(
            "The address at which it takes Disconnect-Request and CoA-Request; empty: that of nas_address."
        ),
    ),
    Option(
        name="coa_port",
        read=_port,
        default="3799",
        help=Sentence("The UDP port for them: 3799 (RFC 5176), 1700 at some."),
    ),
    Option(
        name="coa_signed_answers",
        read=_one_of("yes", "no"),
        default="no",
        help=Sentence("yes: its answers must bear a Message-Authenticator too. Many boxes send none."),
    ),
)
