"""Rate limits against guessing voucher codes, and what they bound.

A client's own budget is locked before its code is looked up. Only a code that was never issued is taken from it, and
counts against the gateway, the site and all of them together. When one of those is spent, a client with no failure of
its own is still heard, out of a reserve of so many tries a minute: a right code is looked up while others guess beside
it, and whatever they do, the next minute has as many again. To keep a gateway's reserve spent, an attacker needs that
many clients a minute that have not failed in the last quarter of an hour.

What a day can answer stays small beside the codes there are: see `guesses_per_day` and `auth.vouchers.codes.POSSIBLE`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from auth import rate_limits
from auth.audit.actions import CODES_HEARD_AGAIN, ObjectKind
from auth.audit.actor import Actor
from auth.audit.log import append
from auth.errors import AuthError, TooManyAttempts
from auth.rate_limits import RateLimit
from auth.vouchers.errors import UnknownVoucher
from sites.models import Gateway

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ALL = RateLimit("guess:all", most=60, window=timedelta(hours=1))
# Tries a minute.
RESERVE_OF_GATEWAY, RESERVE_OF_ALL = 30, 50
# Requests of different clients that four workers may be looking at when a budget runs out: each is still answered.
IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class RedeemAttempt:
    """The source of an attempt: a client (MAC) behind a gateway (identity) at a site (slug)."""

    gateway: str
    site: str
    mac: str

    @property
    def client(self) -> RateLimit:
        return RateLimit(f"guess:client:{self.gateway}:{self.mac}", most=5)

    @property
    def broad(self) -> list[RateLimit]:
        return [
            RateLimit(f"guess:gateway:{self.gateway}", most=30),
            RateLimit(f"guess:site:{self.site}", most=60),
            ALL,
        ]

    def reserve(self, now: datetime) -> list[RateLimit]:
        """That of the minute that `now` is in: every minute has budgets of its own."""
        minute = int(now.timestamp()) // 60
        return [
            RateLimit(f"guess:reserve:{self.gateway}:{minute}", most=RESERVE_OF_GATEWAY, window=MINUTE),
            RateLimit(f"guess:reserve:{minute}", most=RESERVE_OF_ALL, window=MINUTE),
        ]


def guesses_per_day() -> int:
    """How many codes can be tried in a day over the whole installation, however many clients try."""
    return (ALL.most + IN_FLIGHT) * (DAY // ALL.window) + (RESERVE_OF_ALL + IN_FLIGHT) * (DAY // MINUTE)


def admit(db: Session, guess: RedeemAttempt, *, now: datetime) -> None:
    """Ask before the code is looked at. Raises `TooManyAttempts`: then nothing may be said of it.

    The client's row stays locked until the commit, so that one client's tries are one after the other.
    """
    failures, spent = rate_limits.hold(db, guess.client, guess.broad, now=now)
    if spent and failures:
        raise TooManyAttempts(max(spent.values()))
    if spent:
        _check_reserve(db, guess, now=now)


def charge(db: Session, guess: RedeemAttempt, *, now: datetime) -> AuthError:
    """The code does not exist: count it, and give the refusal to answer with once that is committed.

    In the transaction of `admit`, which has locked the client's own budget.
    """
    rate_limits.take(db, guess.client, now=now)
    try:
        _take(db, guess.broad, now=now)
    except TooManyAttempts:
        try:
            _take(db, guess.reserve(now), now=now)
        except TooManyAttempts:
            return TooManyAttempts(_next_minute(now))
    return UnknownVoucher()


def is_closed(db: Session, *, gateway: str, site: str, now: datetime) -> bool:
    """Whether a client behind this gateway has to wait before another code is looked up."""
    guess = RedeemAttempt(gateway, site, "")
    try:
        rate_limits.check(db, guess.broad[:2], now=now)
    except TooManyAttempts:
        return True
    own = guess.client
    return rate_limits.any_spent(db, own.key, most=own.most, window=own.window, now=now)


def open_again(db: Session, gateways: Sequence[Gateway], *, actor: Actor, now: datetime) -> int:
    """Forget the failures at these gateways, their clients' own included, and at their sites: somebody at the desk has
    looked into it. What counts for all gateways together stays. Gives the number of budgets that were in use.
    """
    cleared = sum(_clear(db, one.identity, one.site.slug) for one in gateways)
    for one in gateways:
        append(
            db,
            CODES_HEARD_AGAIN,
            ObjectKind.GATEWAY.named(one.identity),
            actor=actor,
            network=one.network.slug,
            now=now,
        )
    return cleared


def _clear(db: Session, gateway: str, site: str) -> int:
    guess = RedeemAttempt(gateway, site, "")
    keys = [budget.key for budget in guess.broad[:2]]
    return rate_limits.clear(db, keys, beginning=(guess.client.key, f"guess:reserve:{gateway}:"))


def _check_reserve(db: Session, guess: RedeemAttempt, *, now: datetime) -> None:
    try:
        rate_limits.check(db, guess.reserve(now), now=now)
    except TooManyAttempts:
        raise TooManyAttempts(_next_minute(now)) from None


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + MINUTE


def _take(db: Session, budgets: list[RateLimit], *, now: datetime) -> None:
    for budget in budgets:
        if rate_limits.take(db, budget, now=now) == budget.most:
            log.warning("voucher codes are being guessed: rate limit %s is reached", budget.key)
