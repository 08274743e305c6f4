"""Read the redirect of a gateway: who stands in front of it, and where a browser signs in there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from gateways.types import InvalidMac, IpAddress, MacAddress, parse_mac
from gateways.uam.dialect import Dialect, LoginRule, Names, Outcome
from gateways.uam.query import InvalidRedirect, read_query

LONGEST_REPLY = 200
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]")
# The letters of an address (RFC 3986 section 2), without those that browsers read in their own ways.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class LoginAddress:
    """Where a browser signs in at the gateway. `target` is the path, with the query that the gateway put to it."""

    scheme: str
    host: str
    port: int
    target: str
    # Whether the port is the one that gateways of this make have unless somebody changed it.
    is_usual_port: bool

    @property
    def origin(self) -> str:
        standard = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{self.host}" + ("" if self.port == standard else f":{self.port}")

    @property
    def url(self) -> str:
        return self.origin + self.target

    def is_at(self, hosts: Collection[str]) -> bool:
        """Whether it is one of these hosts: ``name`` with the usual port, or ``name:port``."""
        return (self.is_usual_port and self.host in hosts) or f"{self.host}:{self.port}" in hosts


@dataclass(frozen=True, slots=True)
class Redirect:
    """What a gateway says of a client. Empty texts and None where it does not say it. Nothing here is believed yet:
    neither that the gateway said it, nor that the login address is the gateway's.

    The address that the guest had asked for is not read: where somebody wants to go is nobody's business.
    """

    mac: MacAddress
    address: IpAddress | None
    outcome: Outcome
    login: LoginAddress | None = None
    challenge: str = ""
    chap_ident: str = ""
    session: str = ""
    reply: str = ""
    echoed: tuple[tuple[str, str], ...] = ()


def read(dialect: Dialect, query: bytes) -> Redirect:
    """Read the raw query of a redirect. Raises `InvalidRedirect`."""
    values = read_query(query, dialect.names)
    outcome = _outcome(dialect, values)
    login = _login(dialect.login, values)
    if login is None and outcome is Outcome.NOT_YET:
        raise InvalidRedirect(f"{_named(dialect.login.url or dialect.login.host)} is missing")
    return Redirect(
        mac=_mac(dialect.mac, values),
        address=_address(dialect.address, values),
        outcome=outcome,
        login=login,
        challenge=_one(dialect.challenge, values),
        chap_ident=_one(dialect.chap_ident, values),
        session=_one(dialect.session, values),
        reply=_one(dialect.reply, values)[:LONGEST_REPLY],
        echoed=tuple(
            (field, said) for field, names in dialect.echoed.items() if (said := _one(names, values))
        ),
    )


def _one(names: Names, values: Mapping[str, str]) -> str:
    """The value under one of these names. Raises `InvalidRedirect` where two of them disagree."""
    said = {values[name] for name in names if values.get(name)}
    if len(said) > 1:
        raise InvalidRedirect(f"{_named(names)} disagree")
    return said.pop() if said else ""


def _named(names: Names) -> str:
    return " or ".join(names)


def _mac(names: Names, values: Mapping[str, str]) -> MacAddress:
    try:
        return parse_mac(_one(names, values))
    except InvalidMac as error:
        raise InvalidRedirect(f"{_named(names)} is no MAC address") from error


def _address(names: Names, values: Mapping[str, str]) -> IpAddress | None:
    text = _one(names, values)
    if not text:
        if names:
            raise InvalidRedirect(f"{_named(names)} is missing")
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise InvalidRedirect(f"{_named(names)} is no address") from error
    if address.is_multicast or address.is_unspecified or "%" in text:
        raise InvalidRedirect(f"{_named(names)} is no client's address")
    return address


def _outcome(dialect: Dialect, values: Mapping[str, str]) -> Outcome:
    if _one(dialect.error, values):
        return Outcome.REFUSED
    said = _one(dialect.outcome, values)
    if not said:
        return Outcome.NOT_YET
    outcome = dialect.outcomes.get(said)
    if outcome is None:
        raise InvalidRedirect(f"{_named(dialect.outcome)} has no meaning here")
    if outcome is Outcome.REFUSED:
        return dialect.reasons.get(_one(dialect.reason, values), outcome)
    return outcome


def _login(rule: LoginRule, values: Mapping[str, str]) -> LoginAddress | None:
    if rule.url:
        text = _one(rule.url, values)
        return _of_url(rule, text) if text else None
    host = _one(rule.host, values)
    if not host:
        return None
    scheme = _one(rule.scheme, values) or rule.schemes[0]
    port = _one(rule.port, values)
    assert isinstance(rule.path, str)
    return _checked(rule, scheme, host.lower(), port, rule.path)


def _of_url(rule: LoginRule, text: str) -> LoginAddress:
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InvalidRedirect(f"{_named(rule.url)} is no address") from error
    is_odd = parts.username is not None or parts.fragment or not _PLAIN.fullmatch(text)
    if is_odd or not _is_path(rule, parts):
        raise InvalidRedirect(f"{_named(rule.url)} is no login address of this make")
    host = f"[{name}]" if ":" in name else name
    kept = "&".join(part for part in parts.query.split("&") if part.partition("=")[0] in rule.kept)
    target = parts.path + (f"?{kept}" if kept else "")
    return _checked(rule, parts.scheme, host, "" if port is None else str(port), target)


def _is_path(rule: LoginRule, parts: SplitResult) -> bool:
    return parts.path == rule.path if isinstance(rule.path, str) else bool(rule.path.fullmatch(parts.path))


def _checked(rule: LoginRule, scheme: str, host: str, port: str, target: str) -> LoginAddress:
    if scheme not in rule.schemes:
        raise InvalidRedirect(f"the login address is not {_named(rule.schemes)}")
    if not _HOST.fullmatch(host) or (port and not _PORT.fullmatch(port)):
        raise InvalidRedirect("the login address has no good host and port")
    usual = rule.ports[scheme]
    if rule.url and not port:
        # A whole address without a port says that it is the standard one of its scheme.
        port = str({"http": 80, "https": 443}[scheme])
    number = int(port or usual)
    if number > 65535:
        raise InvalidRedirect("the login address has no good host and port")
    return LoginAddress(scheme, host, number, target, is_usual_port=number == usual)
