"""Record a gateway's confirmation with the leases, and with the acceptances that earned them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from ads import acceptances
from sessions import feed


def confirm(db: Session, *, gateway_id: int, version: int, refused: dict[int, str], now: datetime) -> None:
    """The gateway has applied everything up to `version` but `refused` (number: reason)."""
    lease_ids = feed.confirm(db, gateway_id=gateway_id, version=version, refused=refused, now=now)
    acceptances.confirm(db, lease_ids, now=now)


def confirm_some(
    db: Session,
    *,
    gateway_id: int,
    numbers: Collection[int],
    ended: Collection[int] = (),
    refused_ends: Mapping[int, str] | None = None,
    now: datetime,
) -> None:
    """The gateway lets pass the clients of the access sessions `numbers`, and no more those of `ended`, and says so
    client by client. Of `refused_ends` (number: reason) it says that it goes on to let them pass."""
    lease_ids = feed.confirm_some(
        db, gateway_id=gateway_id, numbers=numbers, ended=ended, refused_ends=refused_ends, now=now
    )
    acceptances.confirm(db, lease_ids, now=now)
