"""Which card a gateway saw behind which address: short-lived rows that say who asks, and what a grant lets pass."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Executable, bindparam, delete, or_, select
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import Insert, for_either, table_of
from gateways.types import Client, IpAddress, MacAddress
from sessions.models import ClientObservation
from sites.models import Gateway

LATELY = timedelta(minutes=1)
# SQLite takes some thirty thousand values with one statement.
MOST_AT_ONCE = 10_000


class _Seen(NamedTuple):
    """The last card seen behind an address, and when."""

    mac: str
    seen_at: datetime


def within(gateway: Gateway, client: Client) -> Client:
    """The client with those of its addresses that this gateway may speak for.

    Link-local addresses are left out too: they reach neither the portal nor the Internet.
    """
    return Client(client.mac, tuple(address for address in client.addresses if gateway.holds(address)))


def see(db: Session, *, gateway_id: int, client: Client, now: datetime) -> None:
    """Remember that `client` is behind its addresses at this gateway."""
    for row in _rows(gateway_id, [client], now):
        _SEE_ONE.later(db, **row)


def see_all(
    db: Session, *, gateway_id: int, clients: Iterable[Client], now: datetime
) -> frozenset[MacAddress]:
    """Remember where these clients are; gives those with an address that was not theirs before.

    The last card seen behind an address has it. What was seen within the last minute is not written anew.
    """
    rows = _rows(gateway_id, clients, now)
    if not rows:
        return frozenset()
    known = _known(db, gateway_id, rows)
    if len(rows) == 1:
        _SEE_ONE.run(db, **rows[0])
    else:
        db.execute(_SEE.on(db), rows)
    return frozenset(
        MacAddress(row["mac"])
        for row in rows
        if row["address"] not in known or known[row["address"]].mac != row["mac"]
    )


def confirm_all(
    db: Session, *, gateway_id: int, clients: Iterable[Client], now: datetime
) -> frozenset[MacAddress]:
    """The same for what a gateway lets pass, which is no proof of who is there.

    It takes no address from another card that was seen behind it since.
    """
    rows = _rows(gateway_id, clients, now)
    if not rows:
        return frozenset()
    known = _known(db, gateway_id, rows)
    # A report tells of everybody, and nearly all were seen within the last minute.
    if changing := [row for row in rows if _is_confirmed_by(row, known.get(row["address"]))]:
        db.execute(_CONFIRM.on(db), changing)
    return frozenset(MacAddress(row["mac"]) for row in rows if row["address"] not in known)


def behind(db: Session, address: IpAddress, *, gateway_ids: Collection[int]) -> list[tuple[int, MacAddress]]:
    """Which of these gateways saw `address`, each by its id, and whose it is there."""
    if len(gateway_ids) == 1:
        (one,) = gateway_ids
        return [(one, MacAddress(mac)) for _, mac, _ in _KNOWN_ONE.all(db, gateway=one, address=str(address))]
    rows = db.execute(_BEHIND, {"gateways": list(gateway_ids), "address": str(address)})
    return [(gateway_id, MacAddress(mac)) for gateway_id, mac in rows]


def seen_addresses(db: Session, *, gateway_id: int, mac: str) -> tuple[IpAddress, ...]:
    """The addresses behind which this gateway saw a card lately."""
    seen = select(ClientObservation.address).where(
        ClientObservation.gateway_id == gateway_id, ClientObservation.mac == mac
    )
    return tuple(ipaddress.ip_address(address) for address in sorted(db.scalars(seen)))


def forget(db: Session, *, before: datetime) -> int:
    """Drop the sightings older than `before`; how many."""
    return len(
        db.execute(
            delete(ClientObservation)
            .where(ClientObservation.seen_at < before)
            .returning(ClientObservation.address)
        ).all()
    )


def _rows(gateway_id: int, clients: Iterable[Client], now: datetime) -> list[dict[str, Any]]:
    macs = {str(address): client.mac for client in clients for address in client.addresses}
    return [
        {
            "gateway_id": gateway_id,
            "address": address,
            "mac": macs[address],
            "seen_at": now,
            "lately": now - LATELY,
        }
        for address in sorted(macs)
    ]


def _is_confirmed_by(row: dict[str, Any], known: _Seen | None) -> bool:
    """Whether this is more than what is known; `_CONFIRM` has the last word."""
    return known is None or known.mac != row["mac"] or known.seen_at < row["lately"]


def _known(db: Session, gateway_id: int, rows: Sequence[dict[str, Any]]) -> dict[str, _Seen]:
    """What was seen behind these addresses, by address."""
    if len(rows) == 1:
        one = _KNOWN_ONE.all(db, gateway=gateway_id, address=rows[0]["address"])
        return {address: _Seen(mac, seen_at) for address, mac, seen_at in one}
    found: dict[str, _Seen] = {}
    for part in range(0, len(rows), MOST_AT_ONCE):
        addresses = [row["address"] for row in rows[part : part + MOST_AT_ONCE]]
        asked = {"gateway": gateway_id, "addresses": addresses}
        found.update((address, _Seen(mac, seen_at)) for address, mac, seen_at in db.execute(_KNOWN, asked))
    return found


def _see(insert: Insert) -> Executable:
    return _upsert(insert, takes=True)


def _confirm(insert: Insert) -> Executable:
    return _upsert(insert, takes=False)


def _upsert(insert: Insert, *, takes: bool) -> Executable:
    fresh = insert(_sightings)
    is_old = _sightings.c.seen_at < bindparam("lately")
    is_same = _sightings.c.mac == fresh.excluded.mac
    statement: Executable = fresh.on_conflict_do_update(
        index_elements=[_sightings.c.gateway_id, _sightings.c.address],
        set_={"mac": fresh.excluded.mac, "seen_at": fresh.excluded.seen_at},
        where=or_(~is_same, is_old) if takes else is_same & is_old,
    )
    return statement


_sightings = table_of(ClientObservation)
_BEHIND = select(_sightings.c.gateway_id, _sightings.c.mac).where(
    _sightings.c.gateway_id.in_(bindparam("gateways", expanding=True)),
    _sightings.c.address == bindparam("address"),
)
_SEE = for_either(_see)
_CONFIRM = for_either(_confirm)
_HERE = select(_sightings.c.address, _sightings.c.mac, _sightings.c.seen_at).where(
    _sightings.c.gateway_id == bindparam("gateway")
)
_KNOWN = _HERE.where(_sightings.c.address.in_(bindparam("addresses", expanding=True)))
# Nearly always it is one client with one address.
_SEE_ONE, _KNOWN_ONE = Prepared(_SEE), Prepared(_HERE.where(_sightings.c.address == bindparam("address")))
