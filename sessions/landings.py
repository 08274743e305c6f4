"""What gateways of other makes told of their clients' last landings, for as long as it is needed to answer them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, delete, select
from sqlalchemy.orm import Session

from db.statements import Insert, for_either, table_of
from sessions.models import ClientLanding


def keep(db: Session, *, gateway_id: int, mac: str, told: Mapping[str, Any], now: datetime) -> None:
    """Keep what was told with the landing of this client, in the place of what was told before."""
    row = {"gateway_id": gateway_id, "mac": mac, "told": dict(told), "landed_at": now}
    db.execute(_KEEP.on(db), row)


def of(db: Session, *, gateway_id: int, mac: str) -> dict[str, Any]:
    """What was told with the last landing of this client; empty where it has not landed for a day."""
    asked = (ClientLanding.gateway_id == gateway_id, ClientLanding.mac == mac)
    told: dict[str, Any] | None = db.scalar(select(ClientLanding.told).where(*asked))
    return told or {}


def of_all(db: Session, *, gateway_id: int, macs: Collection[str]) -> dict[str, dict[str, Any]]:
    """The same for several clients; those of whom nothing was told are left out."""
    asked = (ClientLanding.gateway_id == gateway_id, ClientLanding.mac.in_(list(macs)))
    rows = db.scalars(select(ClientLanding).where(*asked))
    return {row.mac: row.told for row in rows}


def forget(db: Session, *, before: datetime) -> None:
    """Drop the landings of before."""
    db.execute(delete(ClientLanding).where(ClientLanding.landed_at < before))


def _keep(insert: Insert) -> Executable:
    fresh = insert(_landings)
    statement: Executable = fresh.on_conflict_do_update(
        index_elements=[_landings.c.gateway_id, _landings.c.mac],
        set_={"told": fresh.excluded.told, "landed_at": fresh.excluded.landed_at},
    )
    return statement


_landings = table_of(ClientLanding)
_KEEP = for_either(_keep)
