"""Which card a gateway saw behind which address: short-lived rows that say who asks, and what a grant lets pass."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Executable, String, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from db.base import UtcDateTime
from db.each import ForEach, bound, for_list
from db.prepared import Prepared
from db.statements import ForEither, for_either, table_of
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
    for address, mac in _rows([client]):
        _SEE_ONE.later(db, address=address, mac=mac, **_shared(gateway_id, now))


def see_all(
    db: Session, *, gateway_id: int, clients: Iterable[Client], now: datetime
) -> frozenset[MacAddress]:
    """Remember where these clients are; gives those with an address that was not theirs before.

    The last card seen behind an address has it. What was seen within the last minute is not written anew.
    """
    rows = _rows(clients)
    if not rows:
        return frozenset()
    known = _known(db, gateway_id, rows)
    _SEE.run(db, rows, **_shared(gateway_id, now))
    return frozenset(
        MacAddress(mac) for address, mac in rows if address not in known or known[address].mac != mac
    )


def confirm_all(
    db: Session, *, gateway_id: int, clients: Iterable[Client], now: datetime
) -> frozenset[MacAddress]:
    """The same for what a gateway lets pass, which is no proof of who is there.

    It takes no address from another card that was seen behind it since.
    """
    rows = _rows(clients)
    if not rows:
        return frozenset()
    known = _known(db, gateway_id, rows)
    # A report tells of everybody, and nearly all were seen within the last minute.
    lately = now - LATELY
    changing = [row for row in rows if _is_confirmed_by(row[1], known.get(row[0]), lately)]
    _CONFIRM.run(db, changing, **_shared(gateway_id, now))
    return frozenset(MacAddress(mac) for address, mac in rows if address not in known)


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


def _rows(clients: Iterable[Client]) -> list[tuple[str, str]]:
    """Each address with the card behind it, in the order of addresses."""
    return sorted({str(address): client.mac for client in clients for address in client.addresses}.items())


def _shared(gateway_id: int, now: datetime) -> dict[str, Any]:
    return {"gateway": gateway_id, "at": now, "lately": now - LATELY}


def _is_confirmed_by(mac: str, known: _Seen | None, lately: datetime) -> bool:
    """Whether this is more than what is known; `_CONFIRM` has the last word."""
    return known is None or known.mac != mac or known.seen_at < lately


def _known(db: Session, gateway_id: int, rows: Sequence[tuple[str, str]]) -> dict[str, _Seen]:
    """What was seen behind these addresses, by address."""
    addresses = [address for address, _ in rows]
    if len(rows) == 1:
        found = _KNOWN_ONE.all(db, gateway=gateway_id, address=addresses[0])
    else:
        found = _KNOWN.all(db, gateway=gateway_id, addresses=addresses)
    return {address: _Seen(mac, seen_at) for address, mac, seen_at in found}


def _sighting(given: Any) -> dict[str, Any]:
    """A row's values; those that are not its own are shared."""
    return {
        "gateway_id": bindparam("gateway", type_=BigInteger),
        "address": given.address,
        "mac": given.mac,
        "seen_at": bindparam("at", type_=UtcDateTime()),
    }


def _alone(given: Any, *, takes: bool) -> ForEither:
    return for_either(lambda insert: _upsert(insert(_sightings).values(_sighting(given)), takes=takes))


def _at_once(given: Any, *, takes: bool) -> Executable:
    columns = _sighting(given)
    # Rows are locked in the order of their addresses, so that two reports at once cannot deadlock.
    source = select(*columns.values()).order_by(given.address)
    return _upsert(postgresql.insert(_sightings).from_select(list(columns), source), takes=takes)


def _upsert(fresh: Any, *, takes: bool) -> Executable:
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
_OWN: dict[str, TypeEngine[Any]] = {"address": String(), "mac": String()}
_SEE, _CONFIRM = (
    ForEach(partial(_alone, takes=takes), _OWN, build_many=partial(_at_once, takes=takes))
    for takes in (True, False)
)
_HERE = select(_sightings.c.address, _sightings.c.mac, _sightings.c.seen_at).where(
    _sightings.c.gateway_id == bindparam("gateway")
)
_KNOWN = Prepared(for_list(lambda given: _HERE.where(_sightings.c.address.in_(given)), "addresses", String()))
# Nearly always it is one client with one address.
_KNOWN_ONE = Prepared(_HERE.where(_sightings.c.address == bindparam("address")))
_SEE_ONE = Prepared(_alone(bound(_OWN), takes=True))
