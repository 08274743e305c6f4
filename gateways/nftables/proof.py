"""Proof that a granted client's packet comes out at the uplink, whatever else was configured on this machine.

A frame is handed to the client interface as if it had come from the air: it is sent on a virtual interface of ours,
from where tc(8) redirects it to the other's ingress. It takes every step that a client's packet takes, through
everybody's rules, and is counted and dropped as the last thing before the card (`ruleset`, chain `proof`): nothing of
it leaves.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from gateways.faults import FaultCode
from gateways.nftables import kernel
from gateways.nftables.configuration import Configuration
from gateways.nftables.machine import IP_SECONDS, interface_addresses, ip_listed, shared_networks
from gateways.nftables.proof_rules import proof_mac
from gateways.nftables.table_layout import TABLE
from gateways.types import IpAddress

INTERFACE, PEER = "arobase-probe", "arobase-peer"
# Nobody's route leads there in a way of its own (a.root-servers.net); no packet of ours ever arrives.
DESTINATIONS: dict[int, IpAddress] = {
    4: ipaddress.ip_address("198.41.0.4"),
    6: ipaddress.ip_address("2001:503:ba3e::2:30"),
}
# The ninth address of a prefix is kept back from DHCP, and not the gateway's own.
SENDER_HOST = 9
LOOKS_SECONDS = (0.01, 0.05, 0.2, 0.5)
BRIDGE_CALLS = ("iptables", "ip6tables")
HOOKS = ("prerouting", "forward", "postrouting")
log = logging.getLogger(__name__)


class CannotProve(Exception):
    """The packet could not be put on its way. The text says why."""


class Proof:
    """One gateway's proof. Blocking; for one thread at a time."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._built_for: int | None = None

    def close(self) -> None:
        """Take the virtual interface away."""
        _tool("ip", "link", "delete", INTERFACE, check=False)

    def look(self) -> dict[FaultCode, str | None]:
        """What is wrong with the packets' way: a text for each fault that there is, None for each that there is not."""
        found: dict[FaultCode, str | None] = dict.fromkeys(
            (
                FaultCode.BLOCKED_4,
                FaultCode.BLOCKED_6,
                FaultCode.NO_ROUTE_4,
                FaultCode.NO_ROUTE_6,
                FaultCode.UNPROVED,
                FaultCode.SAME_NETWORK,
                FaultCode.BRIDGED,
            )
        )
        shared = shared_networks(self._configuration)
        found[FaultCode.SAME_NETWORK] = shared[0].partition(",")[0] if shared else None
        found[FaultCode.BRIDGED] = _bridged(self._configuration.client_interface)
        try:
            self._build()
            for version in sorted({prefix.version for prefix in self._configuration.client_prefixes}):
                found |= self._prove(version)
        except (CannotProve, kernel.UnknownState, OSError) as error:
            self._built_for = None
            found[FaultCode.UNPROVED] = str(error)
        return found

    def _prove(self, version: int) -> dict[FaultCode, str | None]:
        name = f"proof_out{version}"
        before = kernel.read_counters()[name]
        self._send(version)
        for pause in LOOKS_SECONDS:
            time.sleep(pause)
            if kernel.read_counters()[name] > before:
                return {}
        elsewhere = self._route(version)
        if elsewhere is not None:
            return {FaultCode.NO_ROUTE_4 if version == 4 else FaultCode.NO_ROUTE_6: elsewhere}
        return {FaultCode.BLOCKED_4 if version == 4 else FaultCode.BLOCKED_6: ", ".join(suspects(version))}

    def _route(self, version: int) -> str | None:
        """Where the way to the Internet leads when it does not lead through an uplink of ours."""
        client = self._configuration.client_interface
        asked = (
            "route",
            "get",
            str(DESTINATIONS[version]),
            "from",
            str(self._sender(version)),
            "iif",
            client,
        )
        devices = [str(each["dev"]) for each in ip_listed(f"-{version}", *asked) if "dev" in each]
        if not devices:
            return "no route"
        return None if devices[0] in self._configuration.uplinks else devices[0]

    def _build(self) -> None:
        client = self._configuration.client_interface
        index = socket.if_nametoindex(client)
        if not any("UP" in each.get("flags", ()) for each in ip_listed("link", "show", "dev", client)):
            raise CannotProve(f"{client} is down")
        if index == self._built_for:
            return
        self.close()
        _tool("ip", "link", "add", INTERFACE, "type", "veth", "peer", "name", PEER)
        for name in (INTERFACE, PEER):
            _tool("ip", "link", "set", "dev", name, "addrgenmode", "none")
        _tool("ip", "link", "set", "dev", INTERFACE, "up")
        _tool("tc", "qdisc", "add", "dev", INTERFACE, "clsact")
        everything = ("protocol", "all", "u32", "match", "u32", "0", "0")
        to_client = ("action", "mirred", "ingress", "redirect", "dev", client)
        _tool("tc", "filter", "add", "dev", INTERFACE, "egress", *everything, *to_client)
        self._built_for = index

    def _send(self, version: int) -> None:
        client = self._configuration.client_interface
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as asked:
            asked.bind((client, 0))
            gateway_mac: bytes = asked.getsockname()[4]
        sender_mac = bytes.fromhex(proof_mac(self._configuration).replace(":", ""))
        packet = segment(self._sender(version), DESTINATIONS[version])
        kind = 0x0800 if version == 4 else 0x86DD
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
            port.bind((INTERFACE, 0))
            port.send(gateway_mac + sender_mac + struct.pack("!H", kind) + packet)

    def _sender(self, version: int) -> IpAddress:
        prefix = next(each for each in self._configuration.client_prefixes if each.version == version)
        hosts = range(min(SENDER_HOST, prefix.num_addresses - 2), 0, -1)
        own = interface_addresses(self._configuration.client_interface)
        return next((prefix[host] for host in hosts if prefix[host] not in own), prefix[-2])


def segment(source: IpAddress, destination: IpAddress) -> bytes:
    """A first segment to port 443 (RFC 9293), whole with its checksums, in an IPv4 or IPv6 packet."""
    tcp = struct.pack("!HHIIHHHH", 49152, 443, 1, 0, 5 << 12 | 0x002, 65535, 0, 0)
    pseudo = source.packed + destination.packed + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
    tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo + tcp)) + tcp[18:]
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, 64)
        return head + source.packed + destination.packed + tcp
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0)
    head += source.packed + destination.packed
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + tcp


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - (total + (total >> 16) & 0xFFFF)


def suspects(version: int, most: int = 3) -> list[str]:
    """Whose chains stand in the packets' way: those that drop what they do not know, or else all of them."""
    families = {"inet", "netdev", "bridge", "ip" if version == 4 else "ip6"}
    strict: list[str] = []
    others: list[str] = []
    for chain in _base_chains():
        name = f"{chain['family']} {chain['table']} {chain['name']}"
        if chain["family"] not in families or name.startswith(f"{TABLE} "):
            continue
        (strict if chain.get("policy") == "drop" else others).append(name)
    # The older iptables keeps tables that nft does not see.
    with_names = Path("/proc/net", "ip_tables_names" if version == 4 else "ip6_tables_names")
    if with_names.exists() and with_names.read_text(encoding="ascii").strip():
        others.append("iptables-legacy")
    return (strict or others)[:most]


def _base_chains() -> Iterator[dict[str, str]]:
    listed = _tool("nft", "-j", "list", "chains", check=False)
    try:
        entries = json.loads(listed)["nftables"]
    except (ValueError, KeyError, TypeError):
        return
    for entry in entries:
        chain = entry.get("chain", {})
        if chain.get("hook") in HOOKS:
            yield chain


def _bridged(client: str) -> str | None:
    """Whether frames between ports of the clients' bridge pass the rules of IP, which know no bridges."""
    links = ip_listed("-d", "link", "show", "dev", client)
    if not any(each.get("linkinfo", {}).get("info_kind") == "bridge" for each in links):
        return None
    names = [f"bridge-nf-call-{each}" for each in BRIDGE_CALLS]
    on = [name for name in names if _setting(Path("/proc/sys/net/bridge", name)) == "1"]
    return ", ".join(f"{name}=1" for name in on) or None


def _setting(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _tool(*command: str, check: bool = True) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IP_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotProve(str(error)) from error
    if check and done.returncode != 0:
        said = (done.stderr.strip() or "no reason given").splitlines()[0]
        raise CannotProve(f"{command[0]} {command[1]} {command[2]}: {said}")
    return done.stdout
