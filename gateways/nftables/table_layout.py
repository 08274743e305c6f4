"""The sets, maps and counters of our table, and a name for their shape. Pure text."""

from __future__ import annotations

import hashlib

from gateways.nftables import budgets, reach
from gateways.nftables.rate_classes import RateClass, class_declarations

TABLE = "inet arobase"
# Stands for "no grant" where the DHCP server alone has given an address to a card. `feed` accepts no such number.
NO_GRANT = 2**32 - 1
# Where the packet that proves the way has come to, in order.
PROOF_COUNTERS = tuple(f"proof_{step}{version}" for version in (4, 6) for step in ("in", "forward", "out"))
COUNTERS = (*PROOF_COUNTERS, "spoofed", "dns", "dhcp", "dhcp_servers", "routers")
CHAINS = ("prerouting", "capture", "forward", "input", "output", "postrouting", "proof")
PARTS = (
    *("from_clients", "to_clients", "identify", "prove_in", "prove_forward", "prove_out", "vouch"),
    *("foreign", "unknown", "dhcp", "pass", "up", "down", "settle", "refuse"),
    *("confine_up", "confine_down", "to_resolver", "keep_resolver", "refuse_dns"),
)

# A set that is told its size is a table made once, in place of one that grows while it is filled: ten thousand clients
# are written in two thirds of the time. Three of 131,072, twice a /16 of addresses, are some 6 MB. A card has many
# addresses of IPv6: theirs may grow.
DECLARATIONS = (
    """\
  counter spoofed { }
  counter dns { }
  map clients4 { type ether_addr . ipv4_addr : mark; size 131072; }
  map clients6 { type ether_addr . ipv6_addr : mark; }
  set holders4 { type mark . ipv4_addr; size 262144; flags dynamic,timeout; timeout 1d; }
  set holders6 { type mark . ipv6_addr; size 262144; flags dynamic,timeout; timeout 1d; }
  counter dhcp { }
  counter dhcp_servers { }
  counter routers { }
  set held4 { type ipv4_addr; size 131072; }
  set held6 { type ipv6_addr; }
  map cards { type ether_addr : mark; size 131072; }
  set fresh4 { type ether_addr . ipv4_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set fresh6 { type ether_addr . ipv6_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set contested4 { type ether_addr . ipv4_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set contested6 { type ether_addr . ipv6_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set freshened { type ether_addr; size 65535; flags dynamic,timeout; timeout 1m; }
  set dhcp_senders { typeof @ll,48,48 . @th,288,48; size 65535; flags dynamic,timeout; timeout 1s; }
  set dhcp_asked { type ether_addr; size 65535; flags dynamic,timeout; timeout 2m; }
  set impostors { type ether_addr; size 1024; flags dynamic,timeout; timeout 1h; }
  set count_up { type mark; size 262144; flags dynamic,timeout; timeout 1d; }
  set count_down { type mark; size 262144; flags dynamic,timeout; timeout 1d; }
  map blocks { type mark : interval ipv4_addr . inet_service; flags interval; }
  set owned { type mark . ipv4_addr . inet_service; flags interval; }
  set limited { type mark; }
  map resolvers4 { type mark : ipv4_addr; }
  map resolvers6 { type mark : ipv6_addr; }
  set answers4 { type mark . ipv4_addr; }
  set answers6 { type mark . ipv6_addr; }
  set resolved { type mark; }
  set flows { type mark; size 65535; flags dynamic; }
"""
    + "".join(f"  counter {name} {{ }}\n" for name in PROOF_COUNTERS)
    + reach.DECLARATIONS
    + budgets.DECLARATIONS
)


def layout() -> str:
    """A short name for the shape of the table: equal names mean that sets may be kept over a reload."""
    text = DECLARATIONS + class_declarations(RateClass(1, 1)) + " ".join(CHAINS + PARTS)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
