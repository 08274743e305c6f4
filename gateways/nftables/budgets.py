"""Budgets of what clients without a lease may ask. Pure text.

A budget is a token bucket for each card or address, in a set that packets fill. A card costs nothing to make up, so
a set of cards can be filled by one station; a full one means neither open nor shut: who has no bucket shares one with
all others that have none. A client that DHCP gave its address to, or that has a grant, has a bucket in a set of its
own, where nobody else gets in: another card that uses its address is dropped before it comes here.

A time-out is as long as an empty bucket takes to fill, so that an entry which expires loses nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

# 65,536 buckets are a /16 of addresses, and some 10 MB of the kernel's memory.
MOST_BUCKETS = 65536
# Questions above this many bytes of UDP have a name of about 80 characters, or of 60 and a cookie (RFC 7873).
LONG_QUERY_BYTES = 110
LONG_SEGMENT_BYTES = 180
DNS_HEADER_BITS = 160


@dataclass(frozen=True, slots=True)
class Budget:
    """`limit` is nft's words for one bucket, `shared` those for all that have none."""

    name: str
    type: str
    key: str
    seconds: int
    limit: str
    shared: str = "100/second burst 200 packets"

    @property
    def seats(self) -> str:
        """Who has a bucket: looking that up in the set of buckets would take a token out."""
        return f"{self.name}_seats"

    @property
    def declaration(self) -> str:
        return "".join(
            f"  set {name} {{ type {self.type}; size {MOST_BUCKETS}; "
            f"flags dynamic,timeout; timeout {self.seconds}s; }}\n"
            for name in (self.name, self.seats)
        )

    def rules(self, match: str, *, over: str) -> list[str]:
        """Accept what `match` matches within the budget; do `over` to the rest."""
        bucket = f"update @{self.name} {{ {self.key} limit rate {self.limit} }}"
        return [
            f"{match} {bucket} update @{self.seats} {{ {self.key} }} accept",
            f"{match} {self.key} @{self.seats} {over}",
            f"{match} limit rate {self.shared} accept",
            f"{match} {over}",
        ]


def _questions(suffix: str, type: str, key: str) -> tuple[Budget, Budget]:
    """The short questions and the long ones, which carry a tunnel's load."""
    return (
        Budget(f"dns_short_{suffix}", type, key, 40, "3/second burst 100 packets"),
        Budget(
            f"dns_long_{suffix}", type, key, 300, "6/minute burst 30 packets", "1/second burst 30 packets"
        ),
    )


def _answers(version: int, key: str) -> Budget:
    """1 kbit/s to each address, after enough to start with."""
    limit, shared = "128 bytes/second burst 65536 bytes", "32 kbytes/second burst 256 kbytes"
    return Budget(f"dns_answered{version}", f"ipv{version}_addr", key, 600, limit, shared)


# By address where the address is bound to a card, by card where a card has such an address, and by card for the rest.
BOUND4 = _questions("bound4", "ipv4_addr", "ip saddr")
BOUND6 = _questions("bound6", "ether_addr", "ether saddr")
STRANGERS = _questions("new", "ether_addr", "ether saddr")
ANSWERS = (_answers(4, "ip daddr"), _answers(6, "ip6 daddr"))
TIME = Budget(
    "ntp_asked", "ether_addr", "ether saddr", 90, "6/minute burst 8 packets", "20/second burst 40 packets"
)
ECHO = Budget("pinged", "ether_addr", "ether saddr", 10, "5/second burst 20 packets")
BUDGETS = (*BOUND4, *BOUND6, *STRANGERS, *ANSWERS, TIME, ECHO)

DECLARATIONS = "".join(budget.declaration for budget in BUDGETS) + (
    f"  set vouched {{ type ether_addr; size {MOST_BUCKETS}; flags dynamic,timeout; timeout 15m; }}\n"
)
# For a sender whose address DHCP gave to its card. In IPv6 addresses are free to make up: the card stands for it.
VOUCH = "update @vouched { ether saddr }"


def question_rules(resolver: int, portal_url: str) -> list[str]:
    """What is asked of our resolver. The portal's own name costs nothing: it is answered from memory."""
    over = 'counter name "dns" drop'
    # Who may not go everywhere does not do so through names either: such a client has a stranger's budget.
    rules = [f"meta l4proto {{ tcp, udp }} th dport {resolver} meta mark != @confined jump pass"]
    rules += [f"udp dport {resolver} {match} accept" for match in _name_matches(portal_url)]
    asked = (
        (f"udp dport {resolver} udp length <= {LONG_QUERY_BYTES}", 0),
        (f"udp dport {resolver} udp length > {LONG_QUERY_BYTES}", 1),
        (f"tcp dport {resolver} meta length <= {LONG_SEGMENT_BYTES}", 0),
        (f"tcp dport {resolver} meta length > {LONG_SEGMENT_BYTES}", 1),
    )
    for whose, budgets in (
        ("ip saddr @held4", BOUND4),
        ("meta nfproto ipv6 ether saddr @vouched", BOUND6),
        ("", STRANGERS),
    ):
        for match, length in asked:
            rules += budgets[length].rules(f"{whose} {match}".strip(), over=over)
    return rules


def answer_rules(resolver: int, portal_url: str) -> list[str]:
    """What the resolver answers to who has no lease; the portal's name freely."""
    rules = [f"udp sport {resolver} {match} accept" for match in _name_matches(portal_url)]
    for budget, family in zip(ANSWERS, ("ipv4", "ipv6"), strict=True):
        rules += budget.rules(f"meta nfproto {family}", over='counter name "dns" drop')
    return rules


def _name_matches(portal_url: str) -> list[str]:
    """The match of a DNS message about the portal's name, or none where the portal has no name.

    The question begins behind twelve bytes of header (RFC 1035 section 4.1), and its name is spelt in either case
    (section 2.3.3).
    """
    host = urlsplit(portal_url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".")
    else:
        return []
    if not name or any(not 0 < len(label) < 64 for label in name.split(".")) or not name.isascii():
        return []
    wire = b"".join(bytes([len(label)]) + label.lower().encode() for label in name.split(".")) + b"\0"
    mask = b"".join(b"\xff" + _case_mask(label) for label in name.split(".")) + b"\xff"
    return [" ".join(_pieces(wire, mask))]


def _case_mask(label: str) -> bytes:
    """A bit is left out for each letter, and for nothing else: that is all the difference of its two cases."""
    return bytes(0xDF if letter.isalpha() else 0xFF for letter in label)


def _pieces(wire: bytes, mask: bytes) -> Iterable[str]:
    """nft compares eight bytes of a packet at once."""
    for start in range(0, len(wire), 8):
        part, bits = wire[start : start + 8], mask[start : start + 8]
        wanted = bytes(byte & bit for byte, bit in zip(part, bits, strict=True))
        where = f"@th,{DNS_HEADER_BITS + 8 * start},{8 * len(part)}"
        yield f"{where} & 0x{bits.hex()} == 0x{wanted.hex()}"
