"""New credentials of gateways, made by staff."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import GATEWAY_CREDENTIAL_MADE, ObjectKind
from auth.audit.actor import Actor
from sites.gateways import rotate_credential
from sites.models import Gateway

# The longest time for which somebody who has to drive there may keep the old secrets of a box.
MOST_HOURS = 168


def rotate(
    db: Session, gateway: Gateway, *, credential: str, keep_old_hours: int, actor: Actor, now: datetime
) -> None:
    """Give the gateway this credential in the place of its old one, with an audit entry.

    For `keep_old_hours`, at most `MOST_HOURS`, the secrets that were made of the old one hold beside the new ones.
    """
    hours = min(max(keep_old_hours, 0), MOST_HOURS)
    kept_until = now + timedelta(hours=hours) if hours else None
    rotate_credential(db, gateway, keep_old_until=kept_until, credential=credential)
    log.append(
        db,
        GATEWAY_CREDENTIAL_MADE,
        ObjectKind.GATEWAY.named(gateway.identity),
        actor=actor,
        network=gateway.network.slug,
        detail={"hours": hours},
        now=now,
    )
