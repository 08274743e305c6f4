"""The sessions of one client and of the person behind it: which devices are online, and leaving from any of them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.objects import detached
from db.prepared import Prepared
from db.statements import table_of
from sessions import confirmations, end
from sessions.models import OPEN_OF_CLIENT, AccessSession, EndReason
from sites.models import Gateway, Network, SigninMethod

# PostgreSQL's INTEGER: neither database compares an id with a larger number.
LARGEST_ID = 2**31 - 1


class Online(NamedTuple):
    """An open session to look at and for nothing else, as an object whose session has been closed; and until when the
    kernel of a gateway lets it pass, as far as that has confirmed, and whether that is all it is to.
    """

    access: AccessSession
    confirmed_until: datetime | None
    is_confirmed: bool


def devices(db: Session, access: AccessSession, *, here: Gateway, now: datetime) -> list[AccessSession]:
    """The devices online with the same entitlement, this one included, oldest first. Those elsewhere can tell where."""
    ids = [access_id for (access_id,) in _DEVICES.all(db, entitlement=access.entitlement_id, at=now)]
    # Nearly everybody has one device.
    if ids == [access.id] and access.site_id == here.site_id:
        return [access]
    return [db.get_one(AccessSession, one) for one in ids]


def online(db: Session, *, network_id: int, mac: str, now: datetime) -> AccessSession | None:
    """The open session of this client on this network, at whichever site."""
    access_id = _ONLINE.scalar(db, network=network_id, client=mac, at=now)
    return None if access_id is None else db.get(AccessSession, access_id)


def seen_online(db: Session, *, gateway: Gateway, mac: str, now: datetime) -> Online | None:
    """The same on the network of this gateway, to look at."""
    row = _SEEN_ONLINE.first(db, network=gateway.network_id, client=mac, at=now, gateway=gateway.id)
    return (
        None if row is None else Online(detached(AccessSession, _COLUMNS, row[:-2]), row[-2], bool(row[-1]))
    )


def count_online(db: Session, *, now: datetime) -> int:
    """How many access sessions of guests are open, on all networks."""
    is_open = AccessSession.ended_at.is_(None) & (AccessSession.until > now)
    is_guest = AccessSession.method != SigninMethod.MANAGED
    return db.scalar(select(func.count(AccessSession.id)).where(is_open, is_guest)) or 0


def count_online_by_network(db: Session, *, now: datetime) -> dict[str, int]:
    """The same for each network, by its slug; none that is empty is left out."""
    is_open = AccessSession.ended_at.is_(None) & (AccessSession.until > now)
    is_open &= AccessSession.method != SigninMethod.MANAGED
    counts = db.execute(
        select(Network.slug, func.count(AccessSession.id))
        .outerjoin(AccessSession, (AccessSession.network_id == Network.id) & is_open)
        .group_by(Network.slug)
        .order_by(Network.slug)
    )
    return {row[0]: row[1] for row in counts}


def open_ids(db: Session, *, access_id: int | None = None, mac: str | None = None) -> list[int]:
    """The ids of the sessions that have not ended: those with this id or this MAC address, of all networks."""
    found = select(AccessSession.id).where(AccessSession.ended_at.is_(None))
    if access_id is not None:
        found = found.where(AccessSession.id == access_id)
    if mac is not None:
        found = found.where(AccessSession.mac == mac)
    return list(db.scalars(found))


def mac_of(db: Session, access_id: int) -> str | None:
    """The MAC address of a session, open or ended; None where there is no such session."""
    return db.scalar(select(AccessSession.mac).where(AccessSession.id == access_id))


def last(db: Session, *, network_id: int, mac: str) -> AccessSession | None:
    """The newest session of this client on this network, open or ended, to look at."""
    row = _LAST.first(db, network=network_id, client=mac)
    return None if row is None else detached(AccessSession, _COLUMNS, row)


def transferable(
    db: Session, access_id: int, *, network_id: int, mac: str, now: datetime
) -> AccessSession | None:
    """The session, if it is of this network and has time left that may go to the device's new address `mac`.

    None where `mac` has it already: by the first press of the same button.
    """
    access = db.get(AccessSession, access_id)
    if access is None or access.network_id != network_id or not access.is_open(now):
        return None
    return access if access.mac != mac else None


def leave(db: Session, access: AccessSession, *, device: int | None, now: datetime) -> bool:
    """End this session, or that of another device of the same person; False where `device` is somebody else's.

    A second press finds it ended already, and changes nothing.
    """
    if device is not None and not 0 < device <= LARGEST_ID:
        return False
    chosen = access if device is None else db.get(AccessSession, device)
    if chosen is None or chosen.entitlement_id != access.entitlement_id:
        return False
    end.end(db, chosen.id, reason=EndReason.LEFT, now=now)
    return True


# Built once: each request of a guest asks it.
_accesses = table_of(AccessSession)
_DEVICES = Prepared(
    select(_accesses.c.id)
    .where(
        _accesses.c.entitlement_id == bindparam("entitlement"),
        _accesses.c.ended_at.is_(None),
        _accesses.c.until > bindparam("at"),
    )
    .order_by(_accesses.c.started_at)
)
_OF_CLIENT = (
    _accesses.c.network_id == bindparam("network"),
    _accesses.c.mac == bindparam("client"),
)
_HERE = (
    *_OF_CLIENT,
    OPEN_OF_CLIENT,
    _accesses.c.until > bindparam("at"),
)
_COLUMNS = tuple(_accesses.columns.keys())
_LAST = Prepared(select(_accesses).where(*_OF_CLIENT).order_by(_accesses.c.id.desc()).limit(1))
_ONLINE = Prepared(select(_accesses.c.id).where(*_HERE))
_SEEN_ONLINE = Prepared(
    select(
        _accesses,
        confirmations.confirmed_until(_accesses.c.id).label("confirmed_until"),
        confirmations.is_last_confirmed(_accesses.c.id).label("is_confirmed"),
    ).where(*_HERE)
)
