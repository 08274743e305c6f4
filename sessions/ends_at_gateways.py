"""What a gateway says at the end of a stay that it has ended by itself: why, and how many bytes there were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import counters, end, roaming
from sessions.models import EndReason, Lease
from sites.models import Gateway


@dataclass(frozen=True, slots=True)
class EndAtGateway:
    """The end of one client's stay there. `life` tells the client's stays apart, so that a report that comes twice
    counts once. Without a `reason` the gateway only lost the client, which may go on."""

    number: int
    mac: str
    bytes_up: int
    bytes_down: int
    life: str
    reason: EndReason | None


def take(db: Session, *, gateway: Gateway, report: EndAtGateway, now: datetime) -> bool:
    """Take in a report; False where its session has no lease of this client at this gateway.

    With its last lease, the session is over.
    """
    ours = select(Lease.id).where(
        Lease.gateway_id == gateway.id, Lease.access_id == report.number, Lease.mac == report.mac
    )
    if db.scalar(ours.limit(1)) is None:
        return False
    source = counters.CounterSource(gateway.id, report.life, 1, 64)
    counters.grow(db, source, [(report.number, report.bytes_up, report.bytes_down, 0, 0)], now=now)
    if report.reason is None:
        return True
    if not roaming.leave(db, gateway=gateway, access_id=report.number, now=now):
        end.end(db, report.number, reason=report.reason, now=now)
    return True
