"""Rows of the log for tests: sessions written as they are found, not as they come to be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from auth.models import Entitlement
from sessions.models import AccessSession
from sites.models import Gateway, SigninMethod
from tests.town import ADA_PHONE

ADA, BO = "ada0" * 8, "b0b0" * 8


def add_session(db: Session, gateway: Gateway, started_at: datetime, **fields: Any) -> AccessSession:
    """A session at `gateway`, half an hour long, still open unless `ended_at` is given."""
    values: dict[str, Any] = {
        "subject": ADA,
        "method": SigninMethod.FREE,
        "network_id": gateway.network_id,
        "gateway_id": gateway.id,
        "site_id": gateway.site_id,
        "mac": ADA_PHONE,
        "address": "10.66.0.5",
        "started_at": started_at,
        "until": started_at + timedelta(minutes=30),
        "last_seen_at": started_at,
        "terms_version": "2026-1",
        "terms_language": "fr",
        "terms_digest": "d" * 64,
    }
    values |= fields
    entitlement = (
        db.query(Entitlement)
        .filter_by(subject=values["subject"], network_id=values["network_id"])
        .one_or_none()
    )
    if entitlement is None:
        entitlement = Entitlement(
            subject=values["subject"],
            network_id=values["network_id"],
            method=values["method"],
            since=started_at,
            devices=1,
        )
        db.add(entitlement)
        db.flush()
    access = AccessSession(entitlement_id=entitlement.id, **values)
    db.add(access)
    db.flush()
    return access
