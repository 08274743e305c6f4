"""The only door to the kernel's tables: runs nft, reads what is there, and says plainly when it cannot know.

A failed or odd read is `UnknownState`, never an empty table: no client is cut off or let in because of
it.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateways.destinations import Destination
from gateways.nftables.elements import ActualState, LeaseElement
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.reach import SETS, Reach, read_element
from gateways.nftables.table_layout import COUNTERS, PROOF_COUNTERS, TABLE
from gateways.types import IpAddress, MacAddress, PortRange

NFT_SECONDS = 30.0
# linux/netlink.h, linux/netfilter/nf_tables.h: subsystem 10, message 16.
NETLINK_NETFILTER, NLM_F_REQUEST, NFT_MSG_GETGEN, NFTA_GEN_ID = 12, 1, (10 << 8) | 16, 1
PASSES = re.compile(r"^\tset (lease_d\d+_u\d+) \{", re.MULTILINE)
COMMENT = re.compile(r'comment "epoch=([0-9a-f]+) layout=([0-9a-f]+)"')
FORWARDING = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


class KernelRefused(Exception):
    """nft refused a transaction, and nothing of it was done. The text is nft's first complaint."""


class UnknownState(Exception):
    """The kernel's tables could not be read."""


@dataclass(frozen=True, slots=True)
class KernelTable:
    """Our table as it stands: which life it is in, which shape it has, and the rate classes it knows."""

    epoch: str
    layout: str
    classes: frozenset[RateClass]


@dataclass(frozen=True, slots=True)
class Count:
    bytes: int
    packets: int


def run(script: str) -> None:
    """Carry out one transaction. Raises `KernelRefused`; then nothing of it was done."""
    try:
        done = subprocess.run(
            ["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=NFT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelRefused(str(error)) from error
    if done.returncode != 0:
        raise KernelRefused(_first_line(done.stderr))


def read_table() -> KernelTable | None:
    """Our table's head, or None when there surely is none. Raises `UnknownState`."""
    done = _nft("-t", "list", "table", *TABLE.split())
    if done.returncode != 0:
        if "No such file or directory" in done.stderr:
            return None
        raise UnknownState(_first_line(done.stderr))
    if not done.stdout.startswith(f"table {TABLE} {{"):
        raise UnknownState(f"nft printed {done.stdout[:80]!r}")
    found = COMMENT.search(done.stdout)
    epoch, shape = found.groups() if found else ("", "")
    classes = (RateClass.of_set(name) for name in PASSES.findall(done.stdout))
    known = frozenset(each for each in classes if each is not None)
    return KernelTable(epoch, shape, known)


def read_held(table: KernelTable, *, now: float) -> ActualState:
    """Every pair and every lease. `now` is by CLOCK_BOOTTIME. Raises `UnknownState`."""
    held = ActualState(classes=set(table.classes))
    for name in ("clients4", "clients6"):
        for (mac, address), number in _elements("map", name):
            held.bind((MacAddress(mac), ipaddress.ip_address(address)), int(number))
    for mac, number in _elements("map", "cards"):
        held.enrol(MacAddress(mac), int(number))
    held.leases = read_leases(table.classes, now=now)
    held.ports, held.torn = _read_ports()
    held.reach, is_torn = _read_reach()
    held.resolvers, is_at_odds = _read_resolvers()
    held.torn |= is_at_odds
    held.torn |= is_torn
    held.torn |= len(held.pairs) != len(held.holders) or _read_addresses() != held.holders.keys()
    return held


def _read_addresses() -> set[IpAddress]:
    return {ipaddress.ip_address(each) for name in ("held4", "held6") for each in _elements("set", name)}


def _read_ports() -> tuple[dict[int, PortRange], bool]:
    """Everybody's ports, and whether the sets about them disagree."""
    ports = {int(number): _range(*found) for number, found in _elements("map", "blocks")}
    owned = {int(number): _range(*found) for number, *found in _elements("set", "owned")}
    limited = {int(number) for number in _elements("set", "limited")}
    agree = owned == ports and limited - {0} == ports.keys() and (0 in limited or not ports)
    return ports, not agree


def _read_reach() -> tuple[dict[int, Reach], bool]:
    """Where each confined number may go, and whether a number that is not confined has such a place."""
    confined = {int(number) for number in _elements("set", "confined")}
    parts: dict[int, set[Destination]] = {number: set() for number in confined}
    try:
        for value in (each for name in SETS for each in _elements("set", name)):
            number, part = read_element(value)
            parts.setdefault(number, set()).add(part)
    except (ValueError, TypeError, KeyError) as error:
        raise UnknownState(f"nft printed a place that makes no sense: {error}") from error
    return {number: frozenset(own) for number, own in parts.items()}, parts.keys() != confined


def _read_resolvers() -> tuple[dict[int, IpAddress], bool]:
    """Everybody's resolver, and whether the sets about them disagree."""
    resolvers: dict[int, IpAddress] = {}
    pairs: list[tuple[int, IpAddress]] = []
    for version in (4, 6):
        found = {int(n): ipaddress.ip_address(each) for n, each in _elements("map", f"resolvers{version}")}
        pairs += found.items()
        resolvers |= found
        answers = {(int(n), ipaddress.ip_address(each)) for n, each in _elements("set", f"answers{version}")}
        if answers != set(found.items()):
            return resolvers, True
    resolved = {int(number) for number in _elements("set", "resolved")}
    return resolvers, len(pairs) != len(resolvers) or resolved != resolvers.keys()


def _range(address: str, ports: Any) -> PortRange:
    first, last = ports["range"] if isinstance(ports, dict) else (ports, ports)
    return PortRange(ipaddress.IPv4Address(address), int(first), int(last))


def read_leases(classes: Iterable[RateClass], *, now: float) -> dict[int, LeaseElement]:
    """Everybody who may pass now. Raises `UnknownState`."""
    return {
        # nft rounds what is left down to whole seconds.
        element.key: LeaseElement(rates, now + element.expires + 0.5)
        for rates in classes
        for element in _elements("set", rates.lease_set)
    }


def read_counts() -> tuple[dict[int, Count], dict[int, Count]]:
    """What each number sent and what was sent to it. Raises `UnknownState`."""
    up, down = (
        {element.key: element.count for element in _elements("set", name) if element.count is not None}
        for name in ("count_up", "count_down")
    )
    return up, down


def read_counters() -> dict[str, int]:
    """The packets of every named counter of ours. Raises `UnknownState`."""
    listed = _listing("counters", "table", *TABLE.split())
    counters = [entry["counter"] for entry in listed if "counter" in entry]
    found = {each["name"]: int(each["packets"]) for each in counters if each["table"] == "arobase"}
    if not found.keys() >= set(COUNTERS):
        # The table was removed while it was listed.
        raise UnknownState("counters of ours are missing")
    return found


def read_refusals() -> dict[str, int]:
    """The packets refused so far, by reason. Raises `UnknownState`."""
    return {name: count for name, count in read_counters().items() if name not in PROOF_COUNTERS}


def offloaded(interface: str) -> bool:
    """Whether a flowtable takes packets of `interface` past our rules. Raises `UnknownState`."""
    for entry in _listing("flowtables"):
        devices = entry.get("flowtable", {}).get("dev", [])
        if interface in ([devices] if isinstance(devices, str) else devices):
            return True
    return False


def open_forwarding() -> None:
    """Let the machine route. Only to be called when the table is in place."""
    for name in FORWARDING:
        Path("/proc/sys", name).write_text("1", encoding="ascii")


class Generations:
    """Asks for the number of the last change to any table of this namespace, whoever made it (NFT_MSG_GETGEN).

    That costs microseconds, where listing costs more with every client. The socket is kept: closing one makes the
    kernel wait for all its readers.
    """

    def __init__(self) -> None:
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._netlink.settimeout(2.0)
        self._sequence = 0

    def close(self) -> None:
        self._netlink.close()

    def latest(self) -> int:
        """Raises `UnknownState`."""
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        request = struct.pack("=LHHLLBBH", 20, NFT_MSG_GETGEN, NLM_F_REQUEST, self._sequence, 0, 0, 0, 0)
        try:
            self._netlink.sendto(request, (0, 0))
            while True:
                answer = self._netlink.recv(4096)
                if struct.unpack_from("=L", answer, 8)[0] == self._sequence:
                    break
            # After 16 bytes of header and 4 of struct nfgenmsg comes NFTA_GEN_ID, in network order.
            length, kind = struct.unpack_from("=HH", answer, 20)
            if (length, kind) != (8, NFTA_GEN_ID):
                raise UnknownState("the kernel did not tell its generation")
            return int(struct.unpack_from("!L", answer, 24)[0])
        except (OSError, struct.error) as error:
            raise UnknownState(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Element:
    key: Any
    expires: int
    count: Count | None


def _compact(found: dict[str, Any]) -> Any:
    """Make a small value of what nft prints for one element, while parsing: dicts are many bytes."""
    if "val" in found:
        counter = found.get("counter")
        count = Count(counter["bytes"], counter["packets"]) if counter else None
        return _Element(found["val"], found.get("expires", 0), count)
    if len(found) == 1:
        if isinstance(element := found.get("elem"), _Element):
            return element
        if isinstance(concat := found.get("concat"), list):
            return tuple(concat)
    return found


def _elements(kind: str, name: str) -> Iterator[Any]:
    for entry in _listing(kind, *TABLE.split(), name):
        if kind in entry and entry[kind].get("name") == name:
            yield from entry[kind].get("elem", [])
            return
    raise UnknownState(f"nft did not list {name}")


def _listing(*what: str) -> list[dict[str, Any]]:
    done = _nft("-j", "list", *what)
    if done.returncode != 0:
        raise UnknownState(_first_line(done.stderr))
    try:
        listed = json.loads(done.stdout, object_hook=_compact)["nftables"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnknownState(f"nft printed {done.stdout[:80]!r}") from error
    if not isinstance(listed, list) or not listed:
        raise UnknownState("nft printed nothing")
    return listed


def _nft(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["nft", *arguments], capture_output=True, text=True, timeout=NFT_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UnknownState(str(error)) from error


def _first_line(text: str) -> str:
    return (text.strip() or "nft gave no reason").splitlines()[0]
