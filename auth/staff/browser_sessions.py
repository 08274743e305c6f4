"""The browsers that staff are signed in with: kept here, so that signing out is true wherever the cookie went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from auth.staff.models import Staff, StaffSession
from auth.staff.roles import LONGEST_SIGNIN, idle_limit
from auth.staff.secrets import token_digest

# A clock that was set back must not make a sign-in younger than it is.
CLOCK_SLACK = timedelta(minutes=5)
# `seen_at` is written at most this often.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """The same sign-in at an OpenID provider: its name there, and the encrypted token that asks whether it goes on."""

    name: str | None
    refresh_token: str | None


def begin(
    db: Session,
    token: str,
    *,
    staff_id: int,
    content: dict[str, Any],
    now: datetime,
    provider: ProviderSession | None = None,
) -> StaffSession:
    """Remember a new sign-in under a token that no browser has had before."""
    row = StaffSession(
        digest=token_digest(token),
        staff_id=staff_id,
        content=content,
        started_at=now,
        seen_at=now,
        provider_session=provider.name if provider else None,
        refresh_token=provider.refresh_token if provider else None,
        checked_at=now if provider else None,
    )
    db.add(row)
    db.flush()
    return row


def find(db: Session, token: str, *, now: datetime) -> StaffSession | None:
    """The sign-in of this token, while it lasts: not ended, not idle for too long, never over twelve hours."""
    found = db.execute(
        select(StaffSession, Staff)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(StaffSession.digest == token_digest(token), StaffSession.ended_at.is_(None))
    ).first()
    if found is None:
        return None
    row, person = found
    return row if _lasts(row, person, now=now) else None


def see(db: Session, row_id: int, *, now: datetime) -> None:
    db.execute(update(StaffSession).where(StaffSession.id == row_id).values(seen_at=now))


def keep(db: Session, row_id: int, content: dict[str, Any], *, now: datetime) -> None:
    """Remember what the browser's session holds now."""
    db.execute(update(StaffSession).where(StaffSession.id == row_id).values(content=content, seen_at=now))


def end(db: Session, row_id: int, *, now: datetime) -> None:
    """Sign this browser out. The token is dead even if the browser keeps it."""
    db.execute(
        update(StaffSession)
        .where(StaffSession.id == row_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now, refresh_token=None)
    )


def forget(db: Session, *, before: datetime) -> int:
    """Delete the sign-ins without a request since `before`; how many."""
    old = delete(StaffSession).where(StaffSession.seen_at < before).returning(StaffSession.id)
    return len(db.execute(old).all())


def claim_check(db: Session, issuer: str, *, every: timedelta, now: datetime) -> StaffSession | None:
    """A sign-in at this provider that has not been asked about for `every`, for whoever claims it; None: none."""
    due = (
        select(StaffSession.id)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            Staff.issuer == issuer,
            StaffSession.ended_at.is_(None),
            StaffSession.refresh_token.is_not(None),
            StaffSession.checked_at <= now - every,
            StaffSession.started_at > now - LONGEST_SIGNIN,
        )
        .order_by(StaffSession.checked_at)
        .limit(1)
    )
    claimed = db.scalar(
        update(StaffSession)
        .where(StaffSession.id == due.scalar_subquery(), StaffSession.checked_at <= now - every)
        .values(checked_at=now)
        .returning(StaffSession.id)
    )
    return db.get(StaffSession, claimed) if claimed is not None else None


def renew(db: Session, row_id: int, refresh_token: str) -> None:
    """Keep the token that the provider gave in the place of the last one."""
    db.execute(update(StaffSession).where(StaffSession.id == row_id).values(refresh_token=refresh_token))


def end_at_provider(db: Session, session: str, *, staff_id: int | None, now: datetime) -> int:
    """End the sign-ins that the provider calls by this name; of one account where it is known. How many."""
    ended = update(StaffSession).where(
        StaffSession.provider_session == session, StaffSession.ended_at.is_(None)
    )
    if staff_id is not None:
        ended = ended.where(StaffSession.staff_id == staff_id)
    return len(db.execute(ended.values(ended_at=now, refresh_token=None).returning(StaffSession.id)).all())


def open_signins(db: Session, person: Staff, *, now: datetime) -> list[StaffSession]:
    """The sign-ins of one person that still last, the newest first."""
    rows = db.scalars(
        select(StaffSession)
        .where(StaffSession.staff_id == person.id, StaffSession.ended_at.is_(None))
        .order_by(StaffSession.id.desc())
    )
    identity = identity_of(person)
    return [row for row in rows if row.content.get("_user_id") == identity and _lasts(row, person, now=now)]


def identity_of(person: Staff) -> str:
    """The account's id and version, which a sign-in is bound to: "3.7"."""
    return f"{person.id}.{person.session_version}"


def _lasts(row: StaffSession, person: Staff, *, now: datetime) -> bool:
    return (
        row.started_at - CLOCK_SLACK <= now < row.started_at + LONGEST_SIGNIN
        and row.seen_at - CLOCK_SLACK <= now < row.seen_at + idle_limit(person.authority)
    )
