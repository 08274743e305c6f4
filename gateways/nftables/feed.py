"""What the portal's feed says, read strictly, and what it makes of the grants held so far. Pure."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateways.destinations import Destination, parse_destinations
from gateways.nftables.client_addresses import read_address
from gateways.nftables.radio import RadioPlan, read_plan
from gateways.types import SHARED_PORTS, Client, Grant, IpAddress, PortRange, parse_mac

# One less than fits a mark: the last says "no grant" in the kernel (`table_layout.NO_GRANT`).
HIGHEST_NUMBER = 2**31 - 1
# The kernel counts bytes in 64 bits and a second of tokens at once: a hundred terabits are out of reach.
HIGHEST_RATE_KBPS = 10**8
MOST_ADDRESSES = 32
# A grant of nothing but a client, its time and its rates.
PLAIN_FIELDS = 6


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
        table = json.loads(body, object_hook=_compact)
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
    grants = tuple(each for each in listed if isinstance(each, Grant))
    refused = tuple(_refused(each) for each in listed if not isinstance(each, Grant))
    return FeedAnswer(version, full, now, grants, ended, refused, key, radio, hears)


def _compact(row: dict[str, object]) -> object:
    """Make a grant of its row while parsing: ten thousand dicts at once are many bytes."""
    if "grants" in row or "on" in row:
        return row
    try:
        return parse_grant(row)
    except (ValueError, TypeError, KeyError) as error:
        return RejectedGrant(_named(row), f"{type(error).__name__}: {error}"[:200])


def _refused(row: object) -> RejectedGrant:
    return row if isinstance(row, RejectedGrant) else RejectedGrant(_named(row), "not a grant")


def parse_grant(row: Mapping[str, object]) -> Grant:
    """Read one grant. Raises `ValueError`, `TypeError` or `KeyError` when it is not one."""
    addresses = row["addresses"]
    if not isinstance(addresses, list) or len(addresses) > MOST_ADDRESSES:
        raise ValueError("addresses must be a short list")
    client = Client(parse_mac(_text(row["client"])), tuple([_address(each) for each in addresses]))
    number, until, down, up = row["number"], row["until"], row["rate_down_kbps"], row["rate_up_kbps"]
    # Ten thousand come at once: a second look, which says what is odd, is for those that are.
    if not (type(number) is type(down) is type(up) is int and type(until) is float) or not (
        1 <= number <= HIGHEST_NUMBER
        and 0 <= down <= HIGHEST_RATE_KBPS
        and 0 <= up <= HIGHEST_RATE_KBPS
        and math.isfinite(until)
    ):
        number, until, down, up = _number(number), _instant(until), _rate(down), _rate(up)
    if len(row) == PLAIN_FIELDS:
        return Grant(number, client, until, down, up)
    return Grant(
        number,
        client,
        until,
        down,
        up,
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
        older = numbers.get(grant.client.mac)
        if older is not None and older != grant.number:
            grants.pop(older, None)
        numbers[grant.client.mac] = grant.number
        grants[grant.number] = _merged(held.get(grant.number), grant)
    for number in answer.ends:
        grants.pop(number, None)
    return grants


def _merged(before: Grant | None, grant: Grant) -> Grant:
    """A renewed grant keeps the addresses it had: the protocol adds to them."""
    if before is None or before.client.mac != grant.client.mac:
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
