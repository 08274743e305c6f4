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


def prove_rules(step: str, verdict: str, match: str = "") -> list[str]:
    """How far a proving packet has come, by family, and what becomes of it."""
    counted = [f'{match} meta nfproto ipv{each} counter name "proof_{step}{each}"' for each in (4, 6)]
    return [*(each.strip() for each in counted), verdict]


def proof_rules(configuration: Configuration) -> list[str]:
    """One look at everybody's packets, at the last step. Where a packet has no frame, none of it matches."""
    return [f"{proof_sender(configuration)} goto prove_out"]


def prove_out_rules(configuration: Configuration) -> list[str]:
    """The proving packet has come through everything, others' rules included: it is counted, and goes no further."""
    return prove_rules("out", "drop", f"oifname {uplinks(configuration)}")
