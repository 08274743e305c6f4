"""Taking the audit log away as a file: who did is written into it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from auth.audit import log, search
from auth.audit.actions import AUDIT_LOG_EXPORTED, ObjectKind
from auth.audit.actor import Actor
from auth.audit.log import AuditEntry
from auth.audit.search import Query


def take_away(db: Session, query: Query, *, asked: str, actor: Actor, now: datetime) -> list[AuditEntry]:
    """The entries that match, of the actor's networks, and an entry of its own for it. `asked`: the question."""
    found = search.read(db, query, networks=actor.networks)
    detail: log.Detail = {"rows": len(found), "asked": asked[:200]}
    network = actor.only_network
    log.append(
        db, AUDIT_LOG_EXPORTED, ObjectKind.AUDIT_LOG, actor=actor, network=network, detail=detail, now=now
    )
    return found
