"""Lengths of leases and of renewals. Pure functions over values: no database, no clock, no request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LeaseBounds:
    """The bounds of a lease: its greatest length, the person's entitlement, the site's closing, the gateway's clock."""

    length: timedelta
    entitlement_until: datetime | None = None
    closing: datetime | None = None
    # The step of time in which the gateway keeps an end that nobody can tell it, and how long it may take to learn of
    # the lease: `Gateway.lease_step`, `Gateway.lease_reach`.
    step: timedelta = timedelta(0)
    reach: timedelta = timedelta(0)


def first_until(terms: LeaseBounds, *, now: datetime) -> datetime:
    """When a first lease ends: after its full length, with the entitlement, or at the closing: whichever is first."""
    return _bounded(now + terms.length, terms, now)


def renewed_until(terms: LeaseBounds, *, now: datetime, until: datetime) -> datetime:
    """When a renewed lease ends: counted from the old deadline, so that no minute is lost; after it, from now."""
    return _bounded(max(now, until) + terms.length, terms, now)


def renewal_opens(until: datetime, *, window: timedelta) -> datetime:
    """From when on a lease that ends at `until` may be renewed."""
    return until - window


def may_renew(*, now: datetime, until: datetime, window: timedelta) -> bool:
    """Whether a renewal is due: in the last `window` before the deadline, or any time after it."""
    return now >= renewal_opens(until, window=window)


def patron_until(*, now: datetime, length: timedelta, closing: datetime | None) -> datetime:
    """When a patron's entitlement ends: the network's greatest length or the site's closing, whichever is first."""
    return min(now + length, closing) if closing is not None else now + length


def is_idle(*, now: datetime, last_seen_at: datetime, idle: timedelta) -> bool:
    """Whether a client has been silent for so long that it is gone. A zero `idle` means never."""
    return bool(idle) and now - last_seen_at >= idle


def in_steps(until: datetime, *, now: datetime, step: timedelta, reach: timedelta = timedelta(0)) -> datetime:
    """The latest end not after `until` that lies whole steps after `now`, and `reach`.

    The gateway learns of the lease by then, counts the whole steps that are left, and ends at most `reach` before the
    end that its page tells. A lease shorter than that stays as it is: the gateway cannot hold it, and rounding up would
    add time.
    """
    if step <= timedelta(seconds=1) or until - now < step + reach:
        return until
    return now + (until - now - reach) // step * step + reach


def _bounded(until: datetime, terms: LeaseBounds, now: datetime) -> datetime:
    bounds = [until, terms.entitlement_until, terms.closing]
    least = min(bound for bound in bounds if bound is not None)
    return in_steps(least, now=now, step=terms.step, reach=terms.reach)
