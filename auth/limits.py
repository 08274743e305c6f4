"""The limits against guessing as staff see them: what is spent now, and giving one device or card its tries back."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from auth import rate_limits, resume_codes
from auth.audit import log
from auth.audit.actions import LIMITS_CLEARED, ObjectKind
from auth.audit.actor import Actor
from auth.models import Attempt
from auth.rate_limits import RateLimit
from auth.vouchers.rate_limits import ALL, RedeemAttempt


class Counted(enum.StrEnum):
    """What is counted together."""

    CARD = "card"
    DEVICE_CARDS = "device_cards"
    SITE_CARDS = "site_cards"
    DEVICE_PASSES = "device_passes"
    GATEWAY_PASSES = "gateway_passes"
    SITE_PASSES = "site_passes"
    ALL_PASSES = "all_passes"
    DEVICE_RESUMING = "device_resuming"
    NETWORK_RESUMING = "network_resuming"


_PASSES = RedeemAttempt("", "", "")
_RESUMING = resume_codes.limits("", "")
# Each limit without the name that it is for: how its keys begin, how many tries there are, and for how long they count.
LIMITS: dict[Counted, RateLimit] = {
    Counted.CARD: rate_limits.of_account("", None),
    Counted.DEVICE_CARDS: rate_limits.of_client("", ""),
    Counted.SITE_CARDS: rate_limits.of_site(""),
    Counted.DEVICE_PASSES: _PASSES.client,
    Counted.GATEWAY_PASSES: _PASSES.broad[0],
    Counted.SITE_PASSES: _PASSES.broad[1],
    Counted.ALL_PASSES: ALL,
    Counted.DEVICE_RESUMING: _RESUMING[0],
    Counted.NETWORK_RESUMING: _RESUMING[1],
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One of `LIMITS` now: `counting` names have wrong tries in it, `spent` of them must wait, the last one until
    `until`."""

    counted: Counted
    limit: RateLimit
    counting: int
    spent: int
    until: datetime | None


def standings(db: Session, *, now: datetime) -> list[Standing]:
    """How every limit stands."""
    return [_standing(db, counted, limit, now) for counted, limit in LIMITS.items()]


def _standing(db: Session, counted: Counted, limit: RateLimit, now: datetime) -> Standing:
    is_spent = Attempt.count >= limit.most
    counting, spent, last_at = db.execute(
        select(
            func.count(),
            func.count(case((is_spent, 1))),
            func.max(case((is_spent, Attempt.last_at))),
        ).where(
            Attempt.key.startswith(_beginning(limit), autoescape=True),
            Attempt.count > 0,
            Attempt.last_at > now - limit.window,
        )
    ).one()
    return Standing(counted, limit, counting, spent, last_at + limit.window if last_at else None)


def _beginning(limit: RateLimit) -> str:
    # "guess:client::" of nobody begins like "guess:client:GATEWAY:MAC".
    return limit.key.rstrip(":") + ":" if limit.key.endswith(":") else limit.key


def give_back(db: Session, names: Collection[str], *, reason: str, actor: Actor, now: datetime) -> int:
    """Forget the wrong tries of these devices (MAC addresses) and cards (pseudonyms); how many counts there were.

    What counts for a whole gateway, place or network stays.
    """
    mine = [
        condition
        for name in names
        for condition in (Attempt.key.endswith(f":{name}"), Attempt.key.startswith(f"account:{name}:"))
    ]
    keys = list(db.scalars(select(Attempt.key).where(or_(*mine), Attempt.count > 0))) if mine else []
    cleared = rate_limits.clear(db, keys)
    log.append(
        db,
        LIMITS_CLEARED,
        ObjectKind.LIMITS.value,
        actor=actor,
        detail={"cleared": cleared, "reason": reason},
        now=now,
    )
    return cleared
