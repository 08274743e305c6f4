"""What the operator tells the agent, in one TOML file, checked as a whole before anything is touched."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from gateways.types import IpAddress

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
Item = TypeVar("Item")
IDENTITY = re.compile(r"[a-z0-9-]{1,64}")
# What a network interface may be called (dev_valid_name in the kernel), less what would need quoting in nft.
INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
SHORTEST_CREDENTIAL = 20


class InvalidConfiguration(Exception):
    """The file does not describe a gateway. `faults` holds one sentence for each reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Configuration:
    """One gateway: where its portal is, where its clients are, and what they may reach before login."""

    portal_url: str
    gateway: str
    credential: str
    client_interface: str
    uplink_interface: str
    client_prefixes: tuple[IpNetwork, ...]
    portal_addresses: tuple[IpAddress, ...]
    state_directory: Path
    ca_file: Path | None = None
    ntp_servers: tuple[IpAddress, ...] = ()
    resolver_port: int = 53
    redirector_port: int = 8081
    dhcp_leases_file: Path | None = None
    report_seconds: float = 10.0
    masquerade: bool = True
    masquerade_ipv6: bool = False
    # Behind one more translation that keeps the ports: the public addresses that the portal names, and ours for each.
    translated_addresses: Mapping[ipaddress.IPv4Address, ipaddress.IPv4Address] = field(default_factory=dict)
    # What the other sides may reach on the gateway itself. Clients reach none of it.
    uplink_tcp_ports: tuple[int, ...] = (22,)
    # Further cards that the default route may move to.
    other_uplinks: tuple[str, ...] = ()
    # The interfaces of access points that are taken down while the portal says that the wifi is off.
    radio_interfaces: tuple[str, ...] = ()

    @property
    def uplinks(self) -> tuple[str, ...]:
        """Every interface by which clients' packets may leave."""
        return (self.uplink_interface, *self.other_uplinks)

    @property
    def portal_ports(self) -> tuple[int, ...]:
        """The ports of the portal's addresses that a client without a lease may reach."""
        own = urlsplit(self.portal_url).port
        return tuple(sorted({80, 443} | ({own} if own else set())))

    def is_client(self, address: IpAddress) -> bool:
        """Whether an address may belong to a client: inside a prefix of ours, or link-local IPv6."""
        for prefix in self.client_prefixes:
            if address in prefix:
                return True
        return address.version == 6 and address.is_link_local


def read(path: Path) -> Configuration:
    """Read and check the file. Raises `InvalidConfiguration` with every fault found, never only the first."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidConfiguration([f"{path} cannot be read: {error}."]) from error
    return _Reader(table).configuration()


class _Reader:
    """Takes names out of the table one by one and collects what is wrong. What is left over is a typo."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = dict(table)
        self._faults: list[str] = []

    def configuration(self) -> Configuration:
        found = Configuration(
            portal_url=self._portal_url(),
            gateway=self._matching("gateway", IDENTITY, "small letters, digits and hyphens"),
            credential=self._credential(),
            client_interface=self._matching("client_interface", INTERFACE, "the name of an interface"),
            uplink_interface=self._matching("uplink_interface", INTERFACE, "the name of an interface"),
            client_prefixes=self._list("client_prefixes", ipaddress.ip_network, required=True),
            portal_addresses=self._list("portal_addresses", ipaddress.ip_address, required=True),
            state_directory=Path(self._text("state_directory", "/var/lib/arobase-gateway")),
            ca_file=self._file("ca_file"),
            ntp_servers=self._list("ntp_servers", ipaddress.ip_address),
            resolver_port=self._port("resolver_port", 53),
            redirector_port=self._port("redirector_port", 8081),
            dhcp_leases_file=self._path("dhcp_leases_file"),
            report_seconds=self._seconds("report_seconds", 10.0, least=0.1, most=300.0),
            masquerade=self._flag("masquerade", default=True),
            masquerade_ipv6=self._flag("masquerade_ipv6", default=False),
            translated_addresses=dict(self._list("translated_addresses", _pair)),
            uplink_tcp_ports=self._list("uplink_tcp_ports", _port_number, default=(22,)),
            other_uplinks=self._list("other_uplinks", _interface),
            radio_interfaces=self._list("radio_interfaces", _interface),
        )
        self._check_together(found)
        self._faults += [f"{name} is not a setting of the gateway agent." for name in sorted(self._table)]
        if self._faults:
            raise InvalidConfiguration(self._faults)
        return found

    def _check_together(self, found: Configuration) -> None:
        if found.client_interface and found.client_interface in found.uplinks:
            self._faults.append("client_interface and uplink_interface must be two interfaces.")
        if len(set(found.uplinks)) < len(found.uplinks):
            self._faults.append("other_uplinks names an interface twice.")
        if {*found.uplinks, found.client_interface}.intersection(found.radio_interfaces):
            self._faults.append("radio_interfaces must not name client_interface or an uplink.")
        if found.redirector_port in (80, 443, found.resolver_port):
            self._faults.append("redirector_port must be a port of its own: not 80, 443 or resolver_port.")

    def _take(self, name: str, kind: type[Item], wanted: str) -> Item | None:
        value = self._table.pop(name, None)
        # A TOML true is an int for Python; it is never a number for an operator.
        if value is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
            return value
        self._faults.append(f"{name} must be {wanted}, not {value!r}.")
        return None

    def _text(self, name: str, default: str | None = None) -> str:
        missing = name not in self._table
        value = self._take(name, str, "a text")
        if value:
            return value
        if default is None and (missing or value == ""):
            self._faults.append(f"{name} is missing.")
        return default or ""

    def _matching(self, name: str, pattern: re.Pattern[str], wanted: str) -> str:
        value = self._text(name)
        if value and not pattern.fullmatch(value):
            self._faults.append(f"{name} must be {wanted}, not {value!r}.")
        return value

    def _portal_url(self) -> str:
        url = self._text("portal_url").rstrip("/")
        try:
            parts = urlsplit(url)
            good = (
                parts.scheme in ("http", "https") and parts.hostname and not parts.query and parts.port != 0
            )
        except ValueError:
            good = False
        if url and not good:
            self._faults.append(f"portal_url must look like https://portal.example.org, not {url!r}.")
            return ""
        return url

    def _credential(self) -> str:
        path = self._text("credential_file")
        if not path:
            return ""
        try:
            credential = Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            self._faults.append(f"credential_file cannot be read: {error}.")
            return ""
        if len(credential) < SHORTEST_CREDENTIAL or not credential.isprintable() or " " in credential:
            self._faults.append(
                f"credential_file must hold one word of {SHORTEST_CREDENTIAL} or more characters."
            )
        return credential

    def _path(self, name: str) -> Path | None:
        value = self._take(name, str, "the path of a file")
        return Path(value) if value else None

    def _file(self, name: str) -> Path | None:
        path = self._path(name)
        if path is not None and not path.is_file():
            self._faults.append(f"{name} names no file: {path}.")
        return path

    def _list(
        self,
        name: str,
        parse: Callable[[Any], Item],
        *,
        required: bool = False,
        default: tuple[Item, ...] = (),
    ) -> tuple[Item, ...]:
        given = name in self._table
        values = self._take(name, list, "a list")
        found: list[Item] = []
        for value in values or []:
            try:
                found.append(parse(value))
            except (ValueError, TypeError) as error:
                self._faults.append(f"{name} holds {value!r}: {error}.")
        if required and not values:
            self._faults.append(f"{name} is missing or empty.")
        return tuple(found) if given else default

    def _port(self, name: str, default: int) -> int:
        value = self._take(name, int, "a port number")
        if value is not None and not 1 <= value <= 65535:
            self._faults.append(f"{name} must be a port number from 1 to 65535, not {value}.")
        return default if value is None else value

    def _seconds(self, name: str, default: float, *, least: float, most: float) -> float:
        value = self._table.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self._faults.append(f"{name} must be a number from {least:g} to {most:g}, not {value!r}.")
            return default
        return float(value)

    def _flag(self, name: str, *, default: bool) -> bool:
        value = self._take(name, bool, "true or false")
        return default if value is None else value


def _pair(value: Any) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
    public, equals, own = value.partition("=") if isinstance(value, str) else ("", "", "")
    if not equals:
        raise ValueError('not like "203.0.113.7 = 192.168.1.10"')
    return ipaddress.IPv4Address(public.strip()), ipaddress.IPv4Address(own.strip())


def _interface(value: Any) -> str:
    if not isinstance(value, str) or not INTERFACE.fullmatch(value):
        raise ValueError("not the name of an interface")
    return value


def _port_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise ValueError("not a port number")
    return value
