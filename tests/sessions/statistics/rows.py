"""Rows of the log as the portal writes them, for days long ago: sessions with their leases, usage, refusals."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from auth.models import Entitlement
from sessions.models import AccessSession, Decision, EndReason, Lease, Usage
from sessions.statistics import months
from sites.models import Gateway, SigninMethod

# Noon of a Tuesday in Besançon.
DAY = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
_codes, _numbers = itertools.count(1), itertools.count(1)


def mac(number: int, *, random: bool = True) -> str:
    """The address of a device, made up by itself or by its maker."""
    return f"{'02' if random else '00'}:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def set_salt(db: Session, month: date) -> None:
    """The month's salt, the same at every run: no two of a few devices meet in one register by chance."""
    months.make_salt(db, month, draw=lambda size: hashlib.sha256(f"salt of {month}".encode()).digest()[:size])


def add_session(
    db: Session,
    gateway: Gateway,
    device: int = 1,
    *,
    at: datetime = DAY,
    minutes: float = 30,
    walks: tuple[tuple[Gateway, float], ...] = (),
    used: tuple[int, int] = (0, 0),
    best: int = 0,
    confirmed: bool = True,
    random: bool = True,
    **fields: Any,
) -> AccessSession:
    """A session of `minutes` that is over; `walks` are later leases: where, and how many minutes after the start."""
    address, end = mac(device, random=random), at + timedelta(minutes=minutes)
    entitlement = Entitlement(
        subject=f"device-{device}-{next(_numbers)}",
        method=SigninMethod.FREE,
        network_id=gateway.network_id,
        until=None,
        devices=1,
        since=at,
    )
    db.add(entitlement)
    db.flush()
    values: dict[str, Any] = {
        "entitlement_id": entitlement.id,
        "subject": entitlement.subject,
        "method": SigninMethod.FREE,
        "network_id": gateway.network_id,
        "gateway_id": gateway.id,
        "site_id": gateway.site_id,
        "mac": address,
        "address": "10.66.0.5",
        "started_at": at,
        "until": end,
        "last_seen_at": end,
        "ended_at": end,
        "end_reason": EndReason.EXPIRED,
        "terms_version": "1",
        "terms_language": "fr",
        "terms_digest": "",
    }
    access = AccessSession(**{**values, **fields})
    db.add(access)
    db.flush()
    for version, (where, after) in enumerate(((gateway, 0.0), *walks), 1):
        begins = at + timedelta(minutes=after)
        db.add(
            Lease(
                access_id=access.id,
                gateway_id=where.id,
                site_id=where.site_id,
                mac=address,
                address="10.66.0.5",
                created_at=begins,
                starts_at=begins,
                until=end,
                rate_down_kbps=0,
                rate_up_kbps=0,
                version=version,
                confirmed_at=begins if confirmed else None,
            )
        )
    db.add(
        Usage(
            access_id=access.id,
            gateway_id=gateway.id,
            epoch="one",
            bytes_up=used[0],
            bytes_down=used[1],
            packets_up=0,
            packets_down=0,
            best_down_kbps=best,
            updated_at=end,
        )
    )
    db.flush()
    return access


def add_refusal(
    db: Session, gateway: Gateway, rule: str = "wrong_credentials", *, at: datetime = DAY
) -> None:
    db.add(
        Decision(
            code=f"C{next(_codes):06}",
            at=at,
            rule=rule,
            step="signin",
            network_id=gateway.network_id,
            site_id=gateway.site_id,
            gateway_id=gateway.id,
        )
    )
    db.flush()
