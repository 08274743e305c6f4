"""From a proven credential to an entitlement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Executable, bindparam, case, or_, select
from sqlalchemy.orm import Session

from auth.models import Entitlement
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


def claim(db: Session, *, network_id: int, allowance: Allowance, now: datetime) -> Entitlement:
    """The person's entitlement on this network; made, or begun anew where the old one is over, in one statement.

    A running entitlement keeps its deadline: signing in again adds no time. The row stays locked until the commit, so
    that two sign-ins of one person at the same instant count each other's devices.
    """
    values = {
        "subject": allowance.subject,
        "network_id": network_id,
        "method": allowance.method,
        "since": now,
        "until": allowance.until,
        "devices": allowance.devices,
        "rate_down_kbps": allowance.rate_down_kbps,
        "rate_up_kbps": allowance.rate_up_kbps,
    }
    claimed = db.scalars(_CLAIM.on(db), {**values, "over_at": now}, execution_options=_FRESH)
    entitlement: Entitlement = claimed.one()
    return entitlement


def _claim(insert: Insert) -> Executable:
    fresh, row = insert(_entitlements), _entitlements.c
    over = or_(row.until.is_(None), row.until <= bindparam("over_at"))
    claimed = fresh.on_conflict_do_update(
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
    return select(Entitlement).from_statement(claimed.returning(*_entitlements.columns))


_entitlements = table_of(Entitlement)
_CLAIM = for_either(_claim)
_FRESH = {"populate_existing": True}
