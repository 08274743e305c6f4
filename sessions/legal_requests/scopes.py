"""The scope of a requisition, read from a form or a command. Pure."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from gateways.types import InvalidMac, parse_mac
from sessions.instants import read_instant
from sessions.legal_requests.errors import UnreadableEntry

SUBJECT = re.compile(r"[0-9a-f]{32}")
SLUG = re.compile(r"[a-z0-9-]{1,64}")
LONGEST_TOLERANCE = 3600
# The law has a year kept: nobody may ask for more at once.
LONGEST_WINDOW = timedelta(days=366)


class ScopeKind(enum.StrEnum):
    # Who was behind this public address and port at this instant.
    ORIGIN = "origin"
    # What one device, inner address, site or pseudonym did over a span of time.
    DEVICE = "device"
    ADDRESS = "address"
    SITE = "site"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class RequestScope:
    """One question.

    An origin has `public_address`, `port` (None: it was not told), `at` and `tolerance_seconds`, how far the asker's
    clock may be off; every other kind has its `value` and a span [since, until).

    `told` is the instant or span as it stood in the requisition, offset and all.
    """

    kind: ScopeKind
    as_written: str
    public_address: str | None = None
    port: int | None = None
    at: datetime | None = None
    tolerance_seconds: int = 0
    value: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """In values that JSON has; `of` reads them."""
        row = {name: value for name, value in asdict(self).items() if value is not None}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        for name in ("at", "since", "until"):
            if name in values:
                values[name] = datetime.fromisoformat(values[name])
        return cls(**{**values, "kind": ScopeKind(values["kind"])})


def zones(town: ZoneInfo) -> tuple[str, ...]:
    """The zones that may be named beside an instant without an offset."""
    return (town.key, "UTC")


def read_scope(words: Mapping[str, str], *, zone: ZoneInfo) -> RequestScope:
    """Read a scope. Raises `UnreadableEntry` with the field that is wrong.

    An instant has its own offset, or a zone is named beside it, the town's `zone` or UTC: nobody guesses one.
    """
    given = {name: text.strip() for name, text in words.items()}
    try:
        kind = ScopeKind(given.get("kind", ""))
    except ValueError as error:
        raise UnreadableEntry("kind") from error
    if kind is ScopeKind.ORIGIN:
        at, as_written = _instant("at", given, zone)
        return RequestScope(
            kind,
            as_written,
            public_address=_address("public_address", given),
            port=_whole("port", given, 1, 65535) if given.get("port") else None,
            at=at,
            tolerance_seconds=_whole("tolerance", given, 0, LONGEST_TOLERANCE)
            if given.get("tolerance")
            else 0,
        )
    (since, from_told), (until, to_told) = _instant("since", given, zone), _instant("until", given, zone)
    if not since < until <= since + LONGEST_WINDOW:
        raise UnreadableEntry("until")
    return RequestScope(kind, f"{from_told} – {to_told}", value=_value(kind, given), since=since, until=until)


def _value(kind: ScopeKind, given: Mapping[str, str]) -> str:
    text = given.get("value", "")
    try:
        match kind:
            case ScopeKind.DEVICE:
                return parse_mac(text)
            case ScopeKind.ADDRESS:
                return str(ipaddress.ip_address(text))
            case ScopeKind.SITE if SLUG.fullmatch(text):
                return text
            case ScopeKind.PERSON if SUBJECT.fullmatch(text.lower()):
                return text.lower()
    except (InvalidMac, ValueError) as error:
        raise UnreadableEntry("value") from error
    raise UnreadableEntry("value")


def _address(name: str, given: Mapping[str, str]) -> str:
    try:
        return str(ipaddress.ip_address(given.get(name, "")))
    except ValueError as error:
        raise UnreadableEntry(name) from error


def _whole(name: str, given: Mapping[str, str], least: int, most: int) -> int:
    text = given.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        raise UnreadableEntry(name)
    return int(text)


def _instant(name: str, given: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, str]:
    try:
        at = read_instant(given.get(name, ""))
        if at.tzinfo is not None:
            return at.astimezone(UTC), at.isoformat()
        if given.get("zone") not in zones(zone):
            raise UnreadableEntry("zone")
        return at.replace(tzinfo=ZoneInfo(given["zone"])).astimezone(UTC), f"{at.isoformat()} {given['zone']}"
    except (ValueError, OverflowError) as error:
        raise UnreadableEntry(name) from error
