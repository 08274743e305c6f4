"""The sweep: close what is over, end who is gone, forget what is stale. Harmless to run twice, or in two places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth import classes, rate_limits, reprints
from auth.api_tokens import form_results, idempotency
from auth.staff import browser_sessions
from auth.staff.roles import LONGEST_SIGNIN
from gateways.registry import names
from sessions import blocking, consequences, end, landings, nas_sessions, roaming, sightings
from sessions.gateway_health import dialogues, outages, stale_sessions
from sessions.managed import presence
from sessions.managed.reconcile import reconcile
from sessions.retention import clock_check
from sites.models import Feed, Gateway

SIGHTING_LIFE = timedelta(hours=24)
# Long enough to find out what went wrong last week.
DIALOGUE_LIFE = timedelta(days=7)
# As long as the longest window of a budget, and a little more.
ATTEMPT_LIFE = timedelta(hours=25)
# All of them ended long before; the audit log says who signed in.
STAFF_SESSION_LIFE = timedelta(days=2)
# After the end of what was pressed: until then the page says by whom.
PRESS_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    expired: int
    idle: int
    # Sessions that their gateway does not hold.
    stale_sessions: int = 0


def sweep(db: Session, *, now: datetime) -> Swept:
    """Do one round. The gateways need none of it to end access: it brings the books up to date."""
    is_plausible = clock_check.look(db, now=now)
    _take_as_heard(db, now=now)
    roaming.leave_silent(db, now=now)
    expired = end.close_expired(db, now=now)
    blocking.enforce(db, now=now)
    consequences.enforce(db, now=now)
    idle = end.end_idle(db, now=now)
    reconcile(db, now=now)
    presence.note(db, now=now)
    settled = stale_sessions.settle(db, now=now)
    outages.notice(db, now=now)
    nas_sessions.close_lost(db, now=now)
    if is_plausible:
        sightings.forget(db, before=now - SIGHTING_LIFE)
        landings.forget(db, before=now - SIGHTING_LIFE)
        nas_sessions.forget(db, before=now - nas_sessions.LIFE)
        dialogues.forget(db, before=now - DIALOGUE_LIFE)
        rate_limits.forget(db, before=now - ATTEMPT_LIFE)
        browser_sessions.forget(db, before=now - STAFF_SESSION_LIFE)
        classes.forget(db, before=now - PRESS_LIFE)
        reprints.forget(db, now=now)
        form_results.forget(db, before=now - LONGEST_SIGNIN)
        idempotency.forget(db, before=now - idempotency.REMEMBERED)
    return Swept(expired, idle, settled.closed)


def _take_as_heard(db: Session, *, now: datetime) -> None:
    """Gateways that do not let themselves be heard are taken to be there as long as the sweep is."""
    unheard = select(Gateway.id).where(Gateway.kind.in_(names(lambda kind: not kind.is_heard)))
    db.execute(
        update(Feed)
        .where(Feed.gateway_id.in_(unheard))
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
