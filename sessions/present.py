"""The open session of a client, as the acts need it: one row, with what its entitlement says."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import FromClause, and_, bindparam, select
from sqlalchemy.orm import Session

from auth.models import Entitlement
from db.prepared import Prepared
from db.statements import table_of
from gateways.types import Client
from sessions import end
from sessions.models import OPEN_OF_CLIENT, AccessSession
from sites.models import Gateway, SigninMethod


class Present(NamedTuple):
    """An open access session; its gateway is where it counts as being."""

    id: int
    entitlement_id: int
    subject: str
    method: SigninMethod
    gateway_id: int
    until: datetime
    # Of its entitlement.
    entitlement_until: datetime | None
    rate_down_kbps: int | None
    rate_up_kbps: int | None


def find(db: Session, *, gateway: Gateway, client: Client, now: datetime) -> Present | None:
    """The open session of this client on this network, closing first the books of one whose time is over."""
    row = _PRESENT.first(db, network=gateway.network_id, client=client.mac)
    return None if row is None else if_open(db, Present._make(row), now=now)


def if_open(db: Session, present: Present, *, now: datetime) -> Present | None:
    """The same of one that was read."""
    if present.until <= now:
        end.close_one(db, present.id, gateway_id=present.gateway_id, until=present.until)
        return None
    return present


def of(access: AccessSession) -> Present:
    """The same of a session that was loaded."""
    own = access.entitlement
    return Present(
        access.id,
        access.entitlement_id,
        access.subject,
        access.method,
        access.gateway_id,
        access.until,
        own.until,
        own.rate_down_kbps,
        own.rate_up_kbps,
    )


def beside(source: FromClause) -> FromClause:
    """`source` of a statement, with the client's open session beside it, where there is one (`COLUMNS`)."""
    return source.outerjoin(_accesses, and_(*OF_CLIENT)).outerjoin(_entitlements, _is_its)


_accesses, _entitlements = table_of(AccessSession), table_of(Entitlement)
COLUMNS = (
    *(_accesses.c[name] for name in Present._fields[:6]),
    _entitlements.c.until.label("entitlement_until"),
    _entitlements.c.rate_down_kbps,
    _entitlements.c.rate_up_kbps,
)
# There is always one. An inner join would let PostgreSQL go by the index of all who have an entitlement.
_is_its = _entitlements.c.id == _accesses.c.entitlement_id
SOURCE = _accesses.outerjoin(_entitlements, _is_its)
OF_CLIENT = (
    _accesses.c.network_id == bindparam("network"),
    _accesses.c.mac == bindparam("client"),
    OPEN_OF_CLIENT,
)
_PRESENT = Prepared(select(*COLUMNS).select_from(SOURCE).where(*OF_CLIENT))
