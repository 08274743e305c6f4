"""Who a client's packet is from: its number, or nobody's. Pure text."""

from __future__ import annotations

from gateways.nftables import budgets
from gateways.nftables.client_prefixes import prefixes_by_family
from gateways.nftables.configuration import Configuration
from gateways.nftables.proof_rules import proof_mac
from gateways.nftables.table_layout import NO_GRANT


def identify_rules(configuration: Configuration) -> list[str]:
    """Find the sender's number. A pair that is not known stays number 0, a stranger."""
    prefixes = dict(prefixes_by_family(configuration))
    allowed4 = prefixes.get("ip", "255.255.255.255")
    allowed6 = ", ".join(["fe80::/10", *([prefixes["ip6"]] if "ip6" in prefixes else [])])
    return [
        f"ether saddr {proof_mac(configuration)} goto prove_in",
        # Before it has an address, a client may only ask for one.
        "ip saddr 0.0.0.0 udp sport 68 udp dport 67 return",
        # 58 is ICMPv6: a machine without /etc/protocols does not know it by name.
        "ip6 saddr :: meta l4proto 58 return",
        f"ip saddr != {{ {allowed4} }} goto foreign",
        f"ip6 saddr != {{ {allowed6} }} goto foreign",
        "meta mark set ether saddr . ip saddr map @clients4",
        "meta mark set ether saddr . ip6 saddr map @clients6",
        f"meta mark {NO_GRANT} goto vouch",
        "meta mark 0 goto unknown",
        # An old flow of the same device may still be translated to ports that are somebody else's today.
        "meta mark @limited ct direction original ct status snat meta nfproto ipv4 meta l4proto { tcp, udp } "
        "meta mark . ct reply ip daddr . ct reply proto-dst != @owned meta mark set 0",
        "meta mark 0 return",
        "meta nfproto ipv4 add @holders4 { meta mark . ip saddr }",
        "meta nfproto ipv6 add @holders6 { meta mark . ip6 saddr }",
        # The flow belongs to the client that sends in it now, and so do its answers.
        "ct direction original ct mark set meta mark",
    ]


def vouch_rules() -> list[str]:
    """A stranger who has the address from our own DHCP server."""
    return [budgets.VOUCH, "meta mark set 0"]


def foreign_rules() -> list[str]:
    """A client speaks under an address that is none of ours: most often a router plugged in the wrong way round."""
    return [
        'udp sport 67 udp dport 68 counter name "dhcp_servers" add @impostors { ether saddr }',
        'counter name "spoofed" drop',
    ]


def unknown_rules() -> list[str]:
    """A client under an address that is not known to be its own.

    It may stand in a full set as well: then it is not written down, and drops all the same.
    """
    rules = []
    for family, version in (("ip", 4), ("ip6", 6)):
        held, pair = f"{family} saddr @held{version}", f"{{ ether saddr . {family} saddr }}"
        rules += [f"{held} add @contested{version} {pair}", f'{held} counter name "spoofed" drop']
    rules += [
        # Nobody else has the gateway's own addresses. For IPv4 the kernel sees to that by itself.
        'fib saddr type local counter name "spoofed" drop',
        "meta mark set ether saddr map @cards",
        "meta mark 0 return",
        "meta mark set 0",
        'meta nfproto ipv4 counter name "spoofed"',
        "update @freshened { ether saddr limit rate over 4/second burst 32 packets } return",
    ]
    for family, version in (("ip", 4), ("ip6", 6)):
        rules.append(f"meta nfproto ipv{version} add @fresh{version} {{ ether saddr . {family} saddr }}")
    return rules
