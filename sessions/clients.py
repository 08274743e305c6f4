"""The sessions of one client and of the person behind it: which devices are online, and leaving from any of them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import table_of
from sessions import end
from sessions.models import OPEN_OF_CLIENT, AccessSession, EndReason
from sites.models import Network, SigninMethod

# PostgreSQL's INTEGER: neither database compares an id with a larger number.
LARGEST_ID = 2**31 - 1


class SeenAccess(NamedTuple):
    """An access session as it was when it was looked at: no object of the mapper, which would take as long to load as
    to ask for.
    """

    id: int
    entitlement_id: int
    subject: str
    method: SigninMethod
    network_id: int
    gateway_id: int
    site_id: int
    mac: str
    landed_at: datetime | None
    started_at: datetime
    until: datetime
    ended_at: datetime | None
    end_reason: EndReason | None
    previous_id: int | None
    resume_digest: str | None


def devices(db: Session, access: SeenAccess, *, now: datetime) -> list[AccessSession]:
    """The devices online with the same entitlement, this one included, oldest first. They can tell where they are."""
    online = AccessSession.ended_at.is_(None) & (AccessSession.until > now)
    same = select(AccessSession).where(AccessSession.entitlement_id == access.entitlement_id, online)
    return list(db.scalars(same.order_by(AccessSession.started_at)))


def online(db: Session, *, network_id: int, mac: str, now: datetime) -> AccessSession | None:
    """The open session of this client on this network, at whichever site."""
    access_id = _ONLINE.scalar(db, network=network_id, client=mac, at=now)
    return None if access_id is None else db.get(AccessSession, access_id)


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


def last(db: Session, *, network_id: int, mac: str) -> SeenAccess | None:
    """The newest session of this client on this network, open or ended."""
    row = _LAST.first(db, network=network_id, client=mac)
    return None if row is None else SeenAccess._make(row)


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


def leave(db: Session, access: SeenAccess, *, device: int | None, now: datetime) -> bool:
    """End this session, or that of another device of the same person; False where `device` is somebody else's.

    A second press finds it ended already, and changes nothing.
    """
    if device is not None and not 0 < device <= LARGEST_ID:
        return False
    chosen: SeenAccess | AccessSession | None = access if device is None else db.get(AccessSession, device)
    if chosen is None or chosen.entitlement_id != access.entitlement_id:
        return False
    end.end(db, chosen.id, reason=EndReason.LEFT, now=now)
    return True


def count_devices() -> ScalarSelect[int]:
    """How many devices are online with the entitlement of an access session, as part of a statement about that."""
    same = _others.c.entitlement_id == _accesses.c.entitlement_id, _others.c.ended_at.is_(None)
    return select(func.count()).where(*same, _others.c.until > bindparam("at")).scalar_subquery()


# Built once: each request of a guest asks it.
_accesses, _others = table_of(AccessSession), table_of(AccessSession).alias("others")
ID, SEEN = _accesses.c.id, tuple(_accesses.c[name] for name in SeenAccess._fields)
_OF_CLIENT = (
    _accesses.c.network_id == bindparam("network"),
    _accesses.c.mac == bindparam("client"),
)
IS_HERE = (
    *_OF_CLIENT,
    OPEN_OF_CLIENT,
    _accesses.c.until > bindparam("at"),
)
_LAST = Prepared(select(*SEEN).where(*_OF_CLIENT).order_by(_accesses.c.id.desc()).limit(1))
_ONLINE = Prepared(select(_accesses.c.id).where(*IS_HERE))
