"""The rules that let the agent's proving packet through, and count how far it comes. Pure text."""

from __future__ import annotations

import hmac

from gateways.nftables.client_prefixes import uplinks
from gateways.nftables.configuration import Configuration

# The number of the packet by which the agent proves that a granted one comes out. A bit set or cleared by others shows.
PROOF_NUMBER = 2**31


def proof_mac(configuration: Configuration) -> str:
    """The sender of the proving packet, which nobody on the air can guess: a local unicast address (IEEE 802)."""
    secret = hmac.digest(configuration.credential.encode(), b"proof of the uplink", "sha256")
    return bytes([secret[0] & 0xFC | 0x02, *secret[1:6]]).hex(":")


def proof_sender(configuration: Configuration) -> str:
    """The match of a proving packet, by the frame's own bytes: marks and addresses may be others' by then."""
    return "@ll,48,48 0x" + proof_mac(configuration).replace(":", "")


def proof_steps(step: str, match: str, verdict: str) -> list[str]:
    counted = [f'{match} meta nfproto ipv{each} counter name "proof_{step}{each}"' for each in (4, 6)]
    return [*counted, f"{match} {verdict}"]


def proof_rules(configuration: Configuration) -> list[str]:
    """The proving packet has come through everything, others' rules included: it is counted, and goes no further."""
    sender = proof_sender(configuration)
    return [*proof_steps("out", f"oifname {uplinks(configuration)} {sender}", "drop"), f"{sender} drop"]
