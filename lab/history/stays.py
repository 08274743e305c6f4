"""How one stay goes: lease after lease, perhaps at a second site, until it ends for one reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from lab.history.habits import HABITS, Place
from sessions.models import EndReason
from sites import opening_hours
from sites.models import SigninMethod

MOST_LEASES = 9
# The renewal opens five minutes before the end; most people are quick.
RENEWED_BEFORE = 240.0
# Shares of stays.
MOVES, LEAVES, STOPPED = 0.035, 0.06, 0.0005


@dataclass(frozen=True, slots=True)
class Span:
    """One lease: decided at `created`, good from `starts` until `until`."""

    created: float
    starts: float
    until: float


@dataclass(frozen=True, slots=True)
class Stay:
    """`ended` and `reason` are empty where it goes on at the present."""

    spans: tuple[Span, ...]
    last_seen: float
    ended: float | None
    reason: EndReason | None

    @property
    def begins(self) -> float:
        return self.spans[0].created

    @property
    def until(self) -> float:
        return self.spans[-1].until


def stay(place: Place, method: str, at: float, *, until: float | None, now: float, rng: Random) -> Stay:
    """A stay that begins at `at`. `until` is given where it goes on in the time of another."""
    leaves = at + max(20.0, rng.expovariate(1 / (60 * HABITS[place.kind].minutes)))
    spans = [Span(at, at, until or at + _first_length(place, method, at))]
    while not place.is_library and spans[-1].until < leaves and len(spans) < MOST_LEASES:
        end = spans[-1].until
        created = max(at, end - rng.random() * RENEWED_BEFORE)
        if created >= now:
            break
        spans.append(Span(created, end, end + place.lease_seconds))
    end = spans[-1].until
    ended, reason = _ending(place, at, min(leaves, end), end, rng)
    last_seen = min(leaves, end, now)
    if ended > now:
        return Stay(tuple(spans), last_seen, None, None)
    return Stay(tuple(spans), min(last_seen, ended), ended, reason)


def _first_length(place: Place, method: str, at: float) -> float:
    if not place.is_library:
        return place.lease_seconds
    here = datetime.fromtimestamp(at, UTC)
    closing = opening_hours.closing(opening_hours.parse(place.opening), here, place.zone)
    left = (closing - here if closing else timedelta(hours=1)).total_seconds()
    return left if method == SigninMethod.PASS else min(float(place.lease_seconds), left)


def _ending(place: Place, at: float, leaves: float, until: float, rng: Random) -> tuple[float, EndReason]:
    chance = rng.random()
    if until - leaves > 120.0 and leaves - at > 60.0:
        if chance < MOVES:
            return leaves, EndReason.MOVED
        if chance < MOVES + LEAVES:
            return leaves, EndReason.LEFT
        if chance < MOVES + LEAVES + STOPPED:
            return leaves, EndReason.STAFF
    if place.idle_seconds and leaves + place.idle_seconds < until:
        return leaves + place.idle_seconds, EndReason.IDLE
    return until, EndReason.EXPIRED
