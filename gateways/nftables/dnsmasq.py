"""The dnsmasq configuration of a gateway, made from the agent's own.

    python -m gateways.nftables.dnsmasq /etc/arobase/agent.toml > /etc/dnsmasq.d/arobase.conf

Names are answered truthfully, to strangers too: a captured name would break DNSSEC and linger in the
phone's cache (RFC 8952 section 2.2). Leases are short, because a phone that walks away does not give its
address back. Nothing is logged of who asked what.
"""

from __future__ import annotations

import argparse
import ipaddress
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from gateways.nftables.advertisements import ROUTER_LIFETIME_SECONDS, capport_url
from gateways.nftables.configuration import Configuration, InvalidConfiguration, read
from gateways.types import IpAddress

LEASE_MINUTES = 10
# The first addresses of a prefix are the gateway's and what else stands there.
KEPT_BACK = 9
ADVERTISED_EVERY_SECONDS = 200
# RFC 6762 section 3, RFC 9462 section 4, RFC 8375 section 4, ICANN's "internal", RFC 6761 section 6, RFC 7686.
OF_THE_HOUSE = ("local", "resolver.arpa", "home.arpa", "internal", "test", "invalid", "onion")


def render(configuration: Configuration, *, servers: Sequence[IpAddress] = ()) -> str:
    """The file's text. `servers` answer names; without any, those of the machine's resolv.conf do."""
    interface = configuration.client_interface
    url = capport_url(configuration)
    lines = [
        "# Made by python -m gateways.nftables.dnsmasq from the gateway agent's configuration.",
        f"interface={interface}",
        "except-interface=lo",
        "bind-dynamic",
        f"port={configuration.resolver_port}",
        *_names(configuration, servers),
        "dhcp-authoritative",
        "dhcp-rapid-commit",
        # Who sends another's client identifier, a cloned machine or a thief, must not get its address.
        "dhcp-ignore-clid",
        # A phone should not wait three seconds for the proof that a fresh address is free.
        "no-ping",
        # What a phone calls itself is neither published nor logged.
        "dhcp-ignore-names",
        "quiet-dhcp",
        "quiet-dhcp6",
        "quiet-ra",
        # Captive-Portal options of RFC 8910. dnsmasq knows none for router advertisements: see
        # advertisements.py.
        f"dhcp-option=114,{url}",
        f"dhcp-option=option6:103,{url}",
        *_ranges(configuration),
        *_times(configuration),
    ]
    if configuration.dhcp_leases_file is not None:
        lines.append(f"dhcp-leasefile={configuration.dhcp_leases_file}")
    return "\n".join(lines) + "\n"


def _names(configuration: Configuration, servers: Sequence[IpAddress]) -> list[str]:
    lines = ["no-hosts", "domain-needed", "bogus-priv", "cache-size=10000", "dns-forward-max=1000"]
    # Names that no server outside may be asked for: they say what stands in this house, or belong to one.
    lines.append(f"local=/{'/'.join(OF_THE_HOUSE)}/")
    if servers:
        lines += ["no-resolv", *(f"server={server}" for server in servers)]
    portal = urlsplit(configuration.portal_url).hostname or ""
    if not is_address(portal):
        # The one name of our own: it is known here even when the uplink's resolver is away.
        addresses = ",".join(str(each) for each in configuration.portal_addresses)
        lines.append(f"host-record={portal},{addresses}")
        # Nor is anybody outside asked for its other types, as HTTPS (RFC 9460), which phones want before they connect.
        lines.append(f"local=/{portal}/")
    return lines


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ranges(configuration: Configuration) -> list[str]:
    lines = []
    for prefix in configuration.client_prefixes:
        if isinstance(prefix, ipaddress.IPv4Network):
            first, last = _pool(prefix)
            lines.append(f"dhcp-range={first},{last},{prefix.netmask},{LEASE_MINUTES}m")
        else:
            # Phones make their own addresses (RFC 4862) and ask DHCPv6 only for options.
            lines.append(f"dhcp-range={prefix[0]},ra-stateless,{prefix.prefixlen},{2 * LEASE_MINUTES}m")
    if any(prefix.version == 6 for prefix in configuration.client_prefixes):
        lifetime = f"{ADVERTISED_EVERY_SECONDS},{ROUTER_LIFETIME_SECONDS}"
        lines.append(f"ra-param={configuration.client_interface},{lifetime}")
    # dnsmasq stops at a thousand leases unless it is told otherwise.
    return [*lines, f"dhcp-lease-max={max(pool_size(configuration), 1)}"]


def _pool(prefix: ipaddress.IPv4Network) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    """The first and the last address that DHCP gives away."""
    return prefix[KEPT_BACK + 1], prefix[-2]


def pool_size(configuration: Configuration) -> int:
    """How many IPv4 addresses DHCP has to give away."""
    pools = [_pool(each) for each in configuration.client_prefixes if isinstance(each, ipaddress.IPv4Network)]
    return sum(int(last) - int(first) + 1 for first, last in pools)


def _times(configuration: Configuration) -> list[str]:
    servers4 = [str(each) for each in configuration.ntp_servers if each.version == 4]
    servers6 = [f"[{each}]" for each in configuration.ntp_servers if each.version == 6]
    lines = []
    if servers4:
        lines.append(f"dhcp-option=option:ntp-server,{','.join(servers4)}")
    if servers6:
        lines.append(f"dhcp-option=option6:sntp-server,{','.join(servers6)}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the dnsmasq configuration of a gateway.")
    parser.add_argument("configuration", type=Path, help="the agent's configuration, agent.toml")
    parser.add_argument(
        "--server", type=ipaddress.ip_address, action="append", default=[], help="a DNS server"
    )
    chosen = parser.parse_args()
    try:
        print(render(read(chosen.configuration), servers=chosen.server), end="")
    except InvalidConfiguration as invalid:
        print(invalid, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
