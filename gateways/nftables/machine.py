"""Checks of this machine before anything is changed: all faults are reported at once."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

from gateways.nftables import kernel
from gateways.nftables.configuration import Configuration, IpNetwork
from gateways.types import IpAddress

# An abstract name (unix(7)) lives in one network namespace, as nftables do, and goes with the process.
LOCK_NAME = b"\0arobase-gateway"
IP_SECONDS = 10.0


class SecondAgent(Exception):
    """Another agent already works on this machine."""


def claim() -> socket.socket:
    """Be the one agent of this network namespace, until the socket is closed. Raises `SecondAgent`."""
    claimed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claimed.bind(LOCK_NAME)
    except OSError as error:
        claimed.close()
        if error.errno == errno.EADDRINUSE:
            raise SecondAgent from error
        raise
    return claimed


def obstacles(configuration: Configuration) -> list[str]:
    """A sentence for each reason why this gateway must not open, or could not work."""
    found = [] if shutil.which("nft") else ["nft is not installed: apt-get install nftables."]
    if not found:
        found += _flowtable(configuration)
    found += shared_networks(configuration)
    found += _taken_port(configuration.redirector_port)
    return found


def _flowtable(configuration: Configuration) -> Iterator[str]:
    client = configuration.client_interface
    try:
        if kernel.offloaded(client):
            yield offloaded_in_words(client)
    except kernel.UnknownState as error:
        yield f"nftables cannot be read: {error}. Is this run as root, on a kernel with nf_tables?"


def offloaded_in_words(client: str) -> str:
    return (
        f"a flowtable covers {client}: its packets skip every rule, and no deadline would be kept. "
        f"Take {client} out of the flowtable and start again."
    )


def shared_networks(configuration: Configuration) -> list[str]:
    """The client prefixes that overlap a network of an uplink: no packet for that network would find its way."""
    return [
        f"client_prefixes: {prefix} overlaps {network}, the network of {name}. "
        "The two sides need different networks: choose another prefix for the clients."
        for name in configuration.uplinks
        for network in interface_networks(name)
        for prefix in configuration.client_prefixes
        if prefix.version == network.version and prefix.overlaps(network)
    ]


def interface_networks(name: str) -> set[IpNetwork]:
    """The networks on an interface by its addresses. None while there is no such interface, or no telling."""
    return {each.network for each in _interfaces(name)}


def interface_addresses(name: str) -> set[IpAddress]:
    """The machine's own addresses on an interface."""
    return {each.ip for each in _interfaces(name)}


def _interfaces(name: str) -> set[ipaddress.IPv4Interface | ipaddress.IPv6Interface]:
    return {
        ipaddress.ip_interface(f"{each['local']}/{each['prefixlen']}")
        for link in ip_listed("address", "show", "dev", name)
        for each in link.get("addr_info", ())
        if "local" in each
    }


def ip_listed(*what: str) -> list[dict[str, Any]]:
    """What `ip -j` lists, and nothing where it does not know."""
    try:
        done = subprocess.run(
            ["ip", "-j", *what], capture_output=True, text=True, timeout=IP_SECONDS, check=False
        )
        listed = json.loads(done.stdout or "[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return [each for each in listed if isinstance(each, dict) and each]


def _taken_port(port: int) -> Iterator[str]:
    for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                tried.bind((anywhere, port))
                tried.listen()
            except OSError as error:
                yield f"redirector_port: {port} cannot be listened on: {os.strerror(error.errno or 0)}."
                return
