"""What the portal's feed says, read strictly, and what it makes of the grants held so far. Pure."""

from __future__ import annotations

import ipaddress
import json
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

from gateways.destinations import Destination, parse_destinations
from gateways.nftables.client_addresses import read_address, read_lists
from gateways.nftables.radio import RadioPlan, read_plan
from gateways.types import SHARED_PORTS, Client, Grant, IpAddress, PortRange, are_canonical, parse_mac

# One less than fits a mark: the last says "no grant" in the kernel (`table_layout.NO_GRANT`).
HIGHEST_NUMBER = 2**31 - 1
# The kernel counts bytes in 64 bits and a second of tokens at once: a hundred terabits are out of reach.
HIGHEST_RATE_KBPS = 10**8
MOST_ADDRESSES = 32
# A grant of nothing but a client, its time and its rates has these fields.
PLAIN = ("number", "until", "rate_down_kbps", "rate_up_kbps", "client", "addresses")
# What such a grant has, however many they are, in the place of ports, destinations and resolver.
NOTHING = repeat(None)
T = TypeVar("T", bound=tuple[Any, ...])
_plain_fields = operator.itemgetter(*PLAIN)


class InvalidAnswer(Exception):
    """The portal's answer is not one of this protocol. Nothing of it was used."""


@dataclass(frozen=True, slots=True)
class RejectedGrant:
    """A grant that was not applied, and why, for the operator."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """One answer of the feed. `now` and every `until` are by the portal's clock."""

    version: int
    full: bool
    now: float
    grants: tuple[Grant, ...]
    ends: tuple[int, ...]
    refused: tuple[RejectedGrant, ...] = ()
    # What to sign landing tokens with; None of a portal that does not say.
    landing_key: bytes | None = None
    # When the access points are on; None where that is nothing that the portal decides.
    radio: RadioPlan | None = None
    # Whether a question may say that all before it was taken, in place of a call of its own.
    hears_confirmed: bool = False


def parse_answer(body: bytes) -> FeedAnswer:
    """Read an answer of ``GET feed``. A grant that makes no sense is `refused` alone; the others count.

    Raises `InvalidAnswer` when the answer as a whole is not of the protocol.
    """
    try:
        table = json.loads(body)
        listed, ends = table["grants"], table["ends"]
        version, full, now = int(table["version"]), table["full"] is True, _instant(table["now"])
        if not isinstance(listed, list) or version < 0:
            raise ValueError("not a feed")
        ended = tuple(_number(each) for each in ends)
        key = bytes.fromhex(table["landing_key"]) if "landing_key" in table else None
        radio = read_plan(table.get("wifi"))
        hears = table.get("hears_confirmed") is True
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidAnswer(repr(error)) from error
    grants, refused = _read_all(listed)
    return FeedAnswer(version, full, now, tuple(grants), ended, tuple(refused), key, radio, hears)


def _read_all(rows: list[Any]) -> tuple[list[Grant], list[RejectedGrant]]:
    """The grants that these rows are, and what is wrong with the others."""
    if plain := _all_plain(rows):
        return plain, []
    grants, refused = list[Grant](), list[RejectedGrant]()
    for row in rows:
        try:
            grants.append(parse_grant(row))
        except (ValueError, TypeError, KeyError) as error:
            refused.append(RejectedGrant(_named(row), f"{type(error).__name__}: {error}"[:200]))
    return grants, refused


def _all_plain(rows: list[Any]) -> list[Grant] | None:
    """The grants column by column, as ten thousand may come: in a third of the time that they take one by one.

    None where anything about any of them is odd, or there are none: `parse_grant` can tell.
    """
    try:
        if set(map(len, rows)) != {len(PLAIN)}:
            return None
        numbers, untils, downs, ups, macs, listed = zip(*map(_plain_fields, rows), strict=True)
        if not (
            _are_whole(numbers, 1, HIGHEST_NUMBER)
            and _are_whole(downs, 0, HIGHEST_RATE_KBPS)
            and _are_whole(ups, 0, HIGHEST_RATE_KBPS)
            and set(map(type, untils)) == {float}
            and all(map(math.isfinite, untils))
            and are_canonical(macs)
            and set(map(type, listed)) == {list}
            and max(map(len, listed)) <= MOST_ADDRESSES
        ):
            return None
        clients = _made(Client, macs, read_lists(listed))
    except (ValueError, TypeError, KeyError):
        return None
    return _made(Grant, numbers, clients, untils, downs, ups, NOTHING, NOTHING, NOTHING)


def _made(kind: type[T], *columns: Iterable[Any]) -> list[T]:
    """A tuple of this kind for each row of the columns: in half of the time that its own way of making one takes."""
    return list(map(tuple.__new__, repeat(kind), zip(*columns, strict=False)))


def _are_whole(values: Sequence[Any], lowest: int, highest: int) -> bool:
    return set(map(type, values)) == {int} and lowest <= min(values) and max(values) <= highest


def parse_grant(row: Any) -> Grant:
    """Read one grant. Raises `ValueError`, `TypeError` or `KeyError` when it is not one."""
    if not isinstance(row, dict):
        raise TypeError("not a grant")
    addresses = row["addresses"]
    if not isinstance(addresses, list) or len(addresses) > MOST_ADDRESSES:
        raise ValueError("addresses must be a short list")
    return Grant(
        _number(row["number"]),
        Client(parse_mac(_text(row["client"])), tuple([_address(each) for each in addresses])),
        _instant(row["until"]),
        _rate(row["rate_down_kbps"]),
        _rate(row["rate_up_kbps"]),
        ports=_ports(row.get("ports")),
        destinations=_destinations(row.get("destinations")),
        resolver=_address(row["resolver"]) if "resolver" in row else None,
    )


def grant_row(grant: Grant) -> dict[str, object]:
    """The grant as the feed writes it: what `parse_grant` reads."""
    row: dict[str, object] = {
        "number": grant.number,
        "client": grant.client.mac,
        "addresses": [str(each) for each in grant.client.addresses],
        "until": grant.until,
        "rate_down_kbps": grant.rate_down_kbps,
        "rate_up_kbps": grant.rate_up_kbps,
    }
    if (ports := grant.ports) is not None:
        row["ports"] = [str(ports.address), ports.first, ports.last]
    if grant.destinations is not None:
        row["destinations"] = [str(each) for each in grant.destinations]
    if grant.resolver is not None:
        row["resolver"] = str(grant.resolver)
    return row


def fold(held: Mapping[int, Grant], answer: FeedAnswer) -> dict[int, Grant]:
    """The grants after `answer`. A full answer is the whole truth; otherwise grants replace and ends remove.

    One MAC has one grant: an older number of a MAC that gets a new one is gone.
    """
    grants = {} if answer.full else dict(held)
    numbers = {grant.client.mac: number for number, grant in grants.items()}
    for grant in answer.grants:
        number, mac = grant.number, grant.client.mac
        older = numbers.get(mac)
        if older is not None and older != number:
            grants.pop(older, None)
        numbers[mac] = number
        before = held.get(number)
        grants[number] = grant if before is None else _merged(before, grant)
    for number in answer.ends:
        grants.pop(number, None)
    return grants


def _merged(before: Grant, grant: Grant) -> Grant:
    """A renewed grant keeps the addresses it had: the protocol adds to them."""
    if before.client.mac != grant.client.mac:
        return grant
    addresses = _unique([*grant.client.addresses, *before.client.addresses])[:MOST_ADDRESSES]
    client = Client(grant.client.mac, tuple(addresses))
    return grant._replace(client=client)


def _unique(addresses: Iterable[IpAddress]) -> list[IpAddress]:
    return list(dict.fromkeys(addresses))


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= HIGHEST_NUMBER:
        raise ValueError(f"{value!r} is not a number of an access session")
    return value


def _rate(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= HIGHEST_RATE_KBPS:
        raise ValueError(f"{value!r} is not a rate in kbit/s")
    return value


def _ports(row: object) -> PortRange | None:
    if row is None:
        return None
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError("ports must be an address and two numbers")
    text, first, last = row
    address = ipaddress.IPv4Address(_text(text))
    if isinstance(first, bool) or not isinstance(first, int) or not isinstance(last, int):
        raise ValueError("ports must be whole numbers")
    if not SHARED_PORTS[0] <= first <= last <= 65535:
        raise ValueError(f"{first} to {last} is no range of ports")
    return PortRange(address, first, last)


def _destinations(row: object) -> tuple[Destination, ...] | None:
    if row is None:
        return None
    if not isinstance(row, list):
        raise ValueError("destinations must be a list")
    return parse_destinations(_text(each) for each in row)


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not an instant")
    return float(value)


def _address(value: object) -> IpAddress:
    return read_address(_text(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _named(row: object) -> int:
    """The number a broken grant calls itself, 0 when it has none."""
    number = row.get("number") if isinstance(row, dict) else None
    return number if isinstance(number, int) else 0
