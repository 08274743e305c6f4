"""The rest of an open session for its device under a new address, by the code that was shown to it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth import rate_limits, resume_codes
from auth.resume_codes import ResumeCodes, UnknownResumeCode
from db.engine import SessionMaker
from sessions import present, start
from sessions.arrival import Arrival
from sessions.first_leases import once_more
from sessions.models import AccessSession


def resume(
    make_session: SessionMaker, arrival: Arrival, *, code: str, codes: ResumeCodes, now: datetime
) -> int:
    """Move the session that has this code to the client of `arrival`; the id of the session that goes on.

    The attempt is charged before the session is looked up, to client and network, and given back where there is one:
    the work is the same whether there is or not. However many devices send one code at once, one of them goes on. For
    a client that is online already nothing is looked up: a second press of the same button leads where the first did.

    Raises `UnreadableResumeCode`, which is charged to nobody, `UnknownResumeCode` and `TooManyAttempts`.
    """
    network = arrival.gateway.network
    digest = codes.digest(network.slug, resume_codes.read(code))
    budgets = resume_codes.limits(network.slug, arrival.client.mac)

    def try_once() -> int | None:
        with make_session.begin() as db:
            if (online := _present(db, arrival, now=now)) is not None:
                return online
            for budget in budgets:
                rate_limits.take(db, budget, now=now)
            access_id = _move(db, arrival, digest, now=now)
            if access_id is not None:
                for budget in budgets:
                    rate_limits.refund(db, budget)
            return access_id

    access_id = once_more(try_once)
    if access_id is None:
        raise UnknownResumeCode
    return access_id


def _move(db: Session, arrival: Arrival, digest: str, *, now: datetime) -> int | None:
    found = db.scalars(
        select(AccessSession).where(
            AccessSession.resume_digest == digest,
            AccessSession.network_id == arrival.gateway.network_id,
            AccessSession.ended_at.is_(None),
            AccessSession.until > now,
        )
    ).all()
    moved = start.move(db, found[0], arrival, now=now) if len(found) == 1 else None
    # Nothing to move, it may be, because the same press came twice, and the other one was quicker.
    return _present(db, arrival, now=now) if moved is None else moved.access_id


def _present(db: Session, arrival: Arrival, *, now: datetime) -> int | None:
    online = present.find(db, gateway=arrival.gateway, client=arrival.client, now=now)
    if online is None:
        return None
    start.refuse_managed(online)
    return online.id
