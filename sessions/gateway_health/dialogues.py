"""The last exchanges with each gateway, for whoever finds out why it does not do what it should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sessions.models import GatewayDialogue

# How many are kept of one gateway, and how much of each.
MOST, LONGEST = 30, 500


def note(db: Session, *, gateway_id: int, said: str, answered: str, now: datetime) -> None:
    """Keep one exchange, and of this gateway the newest `MOST`. Whoever calls leaves out what is secret."""
    db.add(GatewayDialogue(gateway_id=gateway_id, at=now, said=said[:LONGEST], answered=answered[:LONGEST]))
    db.flush()
    kept = (
        select(GatewayDialogue.id)
        .where(GatewayDialogue.gateway_id == gateway_id)
        .order_by(GatewayDialogue.id.desc())
        .limit(MOST)
    )
    of_this = GatewayDialogue.gateway_id == gateway_id
    db.execute(
        delete(GatewayDialogue)
        .where(of_this, GatewayDialogue.id.not_in(kept))
        .execution_options(synchronize_session=False)
    )


def recent(db: Session, *, gateway_id: int) -> Sequence[GatewayDialogue]:
    """What is kept of this gateway, the newest first."""
    of_this = select(GatewayDialogue).where(GatewayDialogue.gateway_id == gateway_id)
    return db.scalars(of_this.order_by(GatewayDialogue.id.desc())).all()


def forget(db: Session, *, before: datetime) -> None:
    """Drop the exchanges of before."""
    db.execute(delete(GatewayDialogue).where(GatewayDialogue.at < before))
