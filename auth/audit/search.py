"""Reading the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries are wanted. `before` is a number: entries older than that one.

    `actors`: by one of these; `objects`: done to one of these; `since` and `until` bound the instants, [since, until).
    """

    actor: str = ""
    actors: tuple[str, ...] | None = None
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None
    objects: tuple[str, ...] = ()
    before: int | None = None
    most: int = 50


def read(db: Session, query: Query, *, networks: frozenset[str] = frozenset()) -> list[AuditEntry]:
    """The newest entries that match; with `networks`, only those that concern one of them."""
    statement = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(query.most)
    if query.actor:
        statement = statement.where(AuditEntry.actor == query.actor)
    if query.actors is not None:
        statement = statement.where(AuditEntry.actor.in_(query.actors))
    if query.action:
        statement = statement.where(AuditEntry.action == query.action)
    if query.since is not None:
        statement = statement.where(AuditEntry.at >= query.since)
    if query.until is not None:
        statement = statement.where(AuditEntry.at < query.until)
    if query.objects:
        statement = statement.where(AuditEntry.object.in_(query.objects))
    if query.before is not None:
        statement = statement.where(AuditEntry.number < query.before)
    if networks:
        statement = statement.where(AuditEntry.network.in_(sorted(networks)))
    return list(db.scalars(statement))
