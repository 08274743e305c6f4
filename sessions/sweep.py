"""The sweep: close what is over, end who is gone, forget what is stale. Harmless to run twice, or in two places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from auth import limits, pass_requests, staff_answers, staff_sessions
from auth.staff_policy import LONGEST_SIGNIN
from gateways.ports import GatewayKind
from sessions import ending, sightings
from sessions.health import outages, zombies
from sessions.keeping import clock
from sites.models import Gateway

SIGHTING_LIFE = timedelta(hours=24)
# As long as the longest window of a budget, and a little more.
ATTEMPT_LIFE = timedelta(hours=25)
# All of them ended long before; the trail says who signed in.
STAFF_SESSION_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    expired: int
    idle: int
    # Sessions that their gateway does not hold.
    zombies: int = 0


def sweep(db: Session, *, now: datetime) -> Swept:
    """Do one round. The gateways need none of it to end access: it brings the books up to date."""
    is_plausible = clock.look(db, now=now)
    _hear_fakes(db, now=now)
    expired = ending.close_expired(db, now=now)
    idle = ending.end_idle(db, now=now)
    settled = zombies.settle(db, now=now)
    outages.notice(db, now=now)
    if is_plausible:
        sightings.forget(db, before=now - SIGHTING_LIFE)
        limits.forget(db, before=now - ATTEMPT_LIFE)
        staff_sessions.forget(db, before=now - STAFF_SESSION_LIFE)
        staff_answers.forget(db, before=now - LONGEST_SIGNIN)
        pass_requests.forget(db, before=now - pass_requests.REMEMBERED)
    return Swept(expired, idle, settled.closed)


def _hear_fakes(db: Session, *, now: datetime) -> None:
    """A fake gateway lives in the portal: it is there as long as the sweep is."""
    db.execute(
        update(Gateway)
        .where(Gateway.kind == GatewayKind.FAKE)
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
