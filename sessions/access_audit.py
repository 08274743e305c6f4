"""Looks at personal data and at secrets, which change nothing and are on record before anything is shown: the session
log, legal holds, requisitions, usage reports, the secrets of gateways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from auth.audit import actions, log
from auth.audit.actions import AuditAction
from auth.audit.actor import Actor

LOOKS = frozenset(
    {
        actions.LOG_LISTED,
        actions.LOG_SEARCHED,
        actions.LOG_EXPORTED,
        actions.EXPORT_WRITTEN,
        actions.SESSION_OPENED,
        actions.INCIDENT_OPENED,
        actions.UNMASKED,
        actions.REPORT_MADE,
        actions.HOLDS_LISTED,
        actions.REQUISITIONS_LISTED,
        actions.REQUISITION_OPENED,
        actions.REQUISITION_WEIGHED,
        actions.GATEWAY_SECRETS_SHOWN,
    }
)


def looked(
    db: Session,
    action: AuditAction,
    object: str,
    *,
    actor: Actor,
    now: datetime,
    network: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Put a look on record, in the caller's transaction; last in it. What is empty in `detail` is left out.

    Raises `ValueError` for an action that is no look: those are written by what carries them out.
    """
    if action not in LOOKS:
        raise ValueError(f"{action.key!r} is no look")
    log.append(
        db,
        action,
        object,
        actor=actor,
        # Somebody who works for one network alone has all of it read by those who answer for that network.
        network=network or actor.only_network,
        detail={name: value for name, value in (detail or {}).items() if value not in (None, "", [])},
        now=now,
    )
