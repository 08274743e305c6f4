"""The Captive-Portal option in IPv6 router advertisements (RFC 8910 section 2.3), which dnsmasq cannot send.

dnsmasq advertises the router, the prefix and the resolver. From the same router this adds a second
advertisement (RFC 4861 section 4.2) that carries nothing but the option. Where a field has a value for
"unspecified" it is used; the lifetime and the flag "other configuration by DHCPv6" repeat dnsmasq's, for a
host takes the last it heard. When this stops, phones lose the option only, never their route.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct

from gateways.nftables.configuration import Configuration

ROUTER_LIFETIME_SECONDS = 1800
EVERY_SECONDS = 200.0
LEAST_GAP_SECONDS = 3.0
AGAIN_SECONDS = 5.0
LONGEST_URL_BYTES = 255
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
OTHER_CONFIGURATION = 0x40
CAPTIVE_PORTAL = 37
# type, code, checksum (the kernel's affair), hop limit, flags, lifetime, reachable time, retransmission timer
ADVERTISEMENT = struct.Struct("!BBHBBHII")
# linux/icmpv6.h: a bit for each type that is not wanted
ICMP6_FILTER = 1
log = logging.getLogger(__name__)
ALL_ROUTERS, ALL_NODES = "ff02::2", "ff02::1"


def capport_url(configuration: Configuration) -> str:
    """The address of the RFC 8908 API for clients of this gateway, the same in all three announcements."""
    return f"{configuration.portal_url}/capport/{configuration.gateway}"


def advertisement(url: str) -> bytes:
    """The ICMPv6 message that announces `url`. Raises ValueError over 255 bytes (RFC 8910 section 2)."""
    text = url.encode("ascii")
    if len(text) > LONGEST_URL_BYTES:
        raise ValueError(f"the portal's address is over {LONGEST_URL_BYTES} bytes: {url[:60]}…")
    padded = text + bytes(-(len(text) + 2) % 8)
    option = struct.pack("!BB", CAPTIVE_PORTAL, (len(padded) + 2) // 8) + padded
    header = ADVERTISEMENT.pack(
        ROUTER_ADVERTISEMENT, 0, 0, 0, OTHER_CONFIGURATION, ROUTER_LIFETIME_SECONDS, 0, 0
    )
    return header + option


async def announce(configuration: Configuration) -> None:
    """The agent's duty: advertise for ever where clients have IPv6, whatever becomes of the interface meanwhile."""
    url = capport_url(configuration)
    advertisement(url)
    if all(prefix.version == 4 for prefix in configuration.client_prefixes):
        await asyncio.Event().wait()
    while True:
        try:
            await advertise(configuration.client_interface, url)
        except OSError as error:
            log.warning("the portal cannot be advertised on %s: %s", configuration.client_interface, error)
        await asyncio.sleep(AGAIN_SECONDS)


async def advertise(interface: str, url: str) -> None:
    """Send the option to every phone on `interface` from time to time, and when one solicits. Never returns.

    Needs CAP_NET_RAW. Raises OSError when the interface is gone.
    """
    message = advertisement(url)
    loop = asyncio.get_running_loop()
    with _open(interface) as port:
        while True:
            await loop.sock_sendto(port, message, (ALL_NODES, 0, 0, socket.if_nametoindex(interface)))
            # However many solicit, all hear the next one (MIN_DELAY_BETWEEN_RAS, RFC 4861 section 10).
            await asyncio.sleep(LEAST_GAP_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await loop.sock_recv(port, 1500)


def _open(interface: str) -> socket.socket:
    index = socket.if_nametoindex(interface)
    port = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    port.setblocking(False)
    wanted = bytearray(b"\xff" * 32)
    word = struct.unpack_from("=I", wanted, ROUTER_SOLICITATION // 32 * 4)[0]
    struct.pack_into("=I", wanted, ROUTER_SOLICITATION // 32 * 4, word & ~(1 << ROUTER_SOLICITATION % 32))
    port.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, bytes(wanted))
    # Receivers drop what could have come from beyond the link (RFC 4861 section 6.1.2).
    port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("=I", index)
    port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    return port
