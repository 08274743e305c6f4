"""How the gateways are: seen when, how far behind their feed, with which clock. Plain values to print."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from gateways.faults import Fault, read_faults
from gateways.kinds import Learning
from gateways.registry import kinds
from sites.models import Gateway

# A gateway asks for its feed at least every 25 s and reports every few: two missed turns are a silence. One that the
# portal must call is called once a minute.
SILENT_AFTER = timedelta(seconds=60)
SILENT_AFTER_CALLS = timedelta(seconds=150)
CLOCK_TOLERANCE_SECONDS = 2.0


class GatewayState(enum.StrEnum):
    WELL = "well"
    NEVER_SEEN = "never_seen"
    # Nothing has come from it, which of its kind is ordinary until the first guest.
    UNTRIED = "untried"
    SILENT = "silent"
    FAULTY = "faulty"
    BEHIND = "behind"
    CLOCK_OFF = "clock_off"
    # Only who knows the leases can tell: see `sessions.gateway_health.overview`.
    DRIFTING = "drifting"


# What needs an operator first.
WORST_FIRST = (
    GatewayState.SILENT,
    GatewayState.FAULTY,
    GatewayState.DRIFTING,
    GatewayState.BEHIND,
    GatewayState.CLOCK_OFF,
    GatewayState.NEVER_SEEN,
    GatewayState.UNTRIED,
    GatewayState.WELL,
)


@dataclass(frozen=True, slots=True)
class GatewayCheck:
    """One gateway. `lag` counts the changes it has not confirmed.

    `clock_offset` is its clock minus ours, in seconds; `held` the number of leases it said it holds; `faults` what it
    said is wrong with it.
    """

    identity: str
    kind: str
    site: str
    network: str
    seen_at: datetime | None
    silence: timedelta | None
    lag: int
    clock_offset: float | None
    held: int | None
    faults: tuple[Fault, ...]
    verdict: GatewayState


def check(db: Session, *, now: datetime) -> list[GatewayCheck]:
    """Look at every gateway in use, in order of identity.

    Reads ``clock_offset``, ``held`` and ``faults`` in its health.
    """
    gateways = db.scalars(
        select(Gateway)
        .where(~Gateway.is_retired)
        .options(joinedload(Gateway.site), joinedload(Gateway.network))
        .order_by(Gateway.identity)
    )
    return [_check(gateway, now) for gateway in gateways]


def _check(gateway: Gateway, now: datetime) -> GatewayCheck:
    silence = None if gateway.seen_at is None else max(timedelta(0), now - gateway.seen_at)
    lag = max(0, gateway.feed_version - gateway.confirmed_version)
    health = gateway.health or {}
    offset, held = health.get("clock_offset"), health.get("held")
    faults = read_faults(health.get("faults") or [])
    return GatewayCheck(
        identity=gateway.identity,
        kind=gateway.kind,
        site=gateway.site.slug,
        network=gateway.network.slug,
        seen_at=gateway.seen_at,
        silence=silence,
        lag=lag,
        clock_offset=float(offset) if isinstance(offset, int | float) else None,
        held=len(held) if isinstance(held, list) else held if isinstance(held, int) else None,
        faults=faults,
        verdict=verdict(gateway.kind, silence, faults, lag, offset),
    )


def verdict(
    kind: str, silence: timedelta | None, faults: tuple[Fault, ...], lag: int, offset: object
) -> GatewayState:
    """How a gateway of this kind is. Of one that does not let itself be heard, silence says nothing."""
    can = kinds()[kind].capabilities if kind in kinds() else None
    is_heard = can is None or can.is_heard
    if silence is None:
        return GatewayState.NEVER_SEEN if is_heard else GatewayState.UNTRIED
    is_called = can is not None and can.learns is Learning.PUSHED
    if is_heard and silence > (SILENT_AFTER_CALLS if is_called else SILENT_AFTER):
        return GatewayState.SILENT
    if faults:
        return GatewayState.FAULTY
    if lag > 0:
        return GatewayState.BEHIND
    if isinstance(offset, int | float) and abs(offset) > CLOCK_TOLERANCE_SECONDS:
        return GatewayState.CLOCK_OFF
    return GatewayState.WELL
