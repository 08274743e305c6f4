"""From a proven credential to an entitlement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, bindparam, case, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from auth.models import Entitlement
from db.prepared import Prepared, Reply
from db.statements import Insert, for_either, table_of
from sites.models import SigninMethod


@dataclass(frozen=True, slots=True)
class Allowance:
    """The allowance of a credential: until when at most (None: only leases bound it), and on how many devices at once.

    Rates are ceilings in kbit/s that replace those of network and site; None leaves them.
    """

    subject: str
    method: SigninMethod
    until: datetime | None
    devices: int
    rate_down_kbps: int | None = None
    rate_up_kbps: int | None = None


class Claimed(NamedTuple):
    """What a claim needs to know of an entitlement."""

    id: int
    subject: str
    method: SigninMethod
    until: datetime | None
    devices: int
    rate_down_kbps: int | None
    rate_up_kbps: int | None


def claim(db: Session, *, network_id: int, allowance: Allowance, now: datetime) -> Reply:
    """The person's entitlement on this network; made, or begun anew where the old one is over, in one statement.

    A running entitlement keeps its deadline: signing in again adds no time. The row stays locked until the commit, so
    that two sign-ins of one person at the same instant count each other's devices. It is sent with the next question,
    and `claimed_by` reads what it gives.
    """
    return _CLAIM.later(db, **values_of(allowance, network_id=network_id, now=now))


def values_of(allowance: Allowance, *, network_id: int, now: datetime) -> dict[str, Any]:
    """What a claim writes and compares, by name."""
    return {
        "subject": allowance.subject,
        "network_id": network_id,
        "method": allowance.method,
        "since": now,
        "until": allowance.until,
        "devices": allowance.devices,
        "rate_down_kbps": allowance.rate_down_kbps,
        "rate_up_kbps": allowance.rate_up_kbps,
        "over_at": now,
    }


def claimed_by(claiming: Reply) -> Claimed:
    """What a `claim` has given."""
    row = claiming.first()
    assert row is not None
    return Claimed._make(row)


def claimed_of(entitlement: Entitlement) -> Claimed:
    """The same of an entitlement that was loaded."""
    return Claimed._make(getattr(entitlement, name) for name in Claimed._fields)


def claiming_until(until: ColumnElement[Any]) -> Executable:
    """`claim` for PostgreSQL, until what another part of the statement gives; where that gives no row, no claim."""
    rows = select(*(bindparam(name, type_=_entitlements.c[name].type) for name in _GIVEN), until)
    return _taking(postgresql.insert(_entitlements).from_select([*_GIVEN, "until"], rows))


def _claim(insert: Insert) -> Executable:
    return _taking(insert(_entitlements))


def _taking(fresh: Any) -> Executable:
    row = _entitlements.c
    over = or_(row.until.is_(None), row.until <= bindparam("over_at"))
    upsert = fresh.on_conflict_do_update(
        index_elements=[row.subject, row.network_id],
        set_={
            "method": fresh.excluded.method,
            "devices": fresh.excluded.devices,
            "rate_down_kbps": fresh.excluded.rate_down_kbps,
            "rate_up_kbps": fresh.excluded.rate_up_kbps,
            "since": case((over, fresh.excluded.since), else_=row.since),
            "until": case((over, fresh.excluded.until), else_=row.until),
        },
    )
    statement: Executable = upsert.returning(*(row[name] for name in Claimed._fields))
    return statement


_entitlements = table_of(Entitlement)
_GIVEN = ("subject", "network_id", "method", "since", "devices", "rate_down_kbps", "rate_up_kbps")
_CLAIM = Prepared(for_either(_claim))
