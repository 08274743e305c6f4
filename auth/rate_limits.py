"""Budgets against guessing, shared by all workers through the database.

A budget counts until nobody has tried for a whole `window`; so never more than `most` attempts are let through in any
stretch of that length. An attempt that is refused is not counted: a stranger cannot keep a budget closed for ever by
knocking, and the time told to the guest is true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Executable, bindparam, case, delete, or_, select, update
from sqlalchemy.orm import Session

from auth.errors import TooManyAttempts
from auth.models import Attempt
from db.statements import for_either, table_of


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`most` attempts for `key` until a `window` has passed without any."""

    key: str
    most: int
    window: timedelta = timedelta(minutes=15)


def of_account(subject: str, mac: str | None) -> RateLimit:
    """What one account bears. A device that has been on with this account has a budget of its own (`mac`), so that
    strangers who guess cannot lock its owner out."""
    return RateLimit(f"account:{subject}:{mac or ''}", most=5)


def of_client(gateway: str, mac: str) -> RateLimit:
    return RateLimit(f"client:{gateway}:{mac}", most=10)


def of_site(site: str) -> RateLimit:
    return RateLimit(f"site:{site}", most=300)


def take(db: Session, budget: RateLimit, *, now: datetime) -> int:
    """Take one attempt, in one statement; how many are taken now, this one included.

    Raises `TooManyAttempts` when none is left, and then takes none.
    """
    values = {"key": budget.key, "count": 1, "last_at": now}
    taken: int | None = db.scalar(
        _TAKE.on(db), {**values, "rested_since": now - budget.window, "most": budget.most}
    )
    if taken is None:
        raise TooManyAttempts(_free_again(db, budget, now=now))
    return taken


def check(db: Session, budgets: list[RateLimit], *, now: datetime) -> None:
    """Raise `TooManyAttempts` when one of the budgets is spent. Takes nothing."""
    by_key = {budget.key: budget for budget in budgets}
    for key, taken, last_at in db.execute(_LOOK, {"keys": list(by_key)}):
        budget = by_key[key]
        if taken >= budget.most and last_at > now - budget.window:
            raise TooManyAttempts(last_at + budget.window)


def count(db: Session, budget: RateLimit, *, now: datetime) -> None:
    """Count a failure against a broad budget that `check` looks at; one more than `most` does no harm."""
    try:
        take(db, budget, now=now)
    except TooManyAttempts:
        return


def refund(db: Session, budget: RateLimit) -> None:
    """Give back the attempt of somebody who proved to be right."""
    db.execute(_REFUND, {"refunded": budget.key})


def any_spent(db: Session, beginning: str, *, most: int, window: timedelta, now: datetime) -> bool:
    """Whether one of the budgets whose keys begin so has nothing left."""
    spent = select(Attempt.key).where(
        Attempt.key.startswith(beginning, autoescape=True),
        Attempt.count >= most,
        Attempt.last_at > now - window,
    )
    return db.scalar(spent.limit(1)) is not None


def touch(db: Session, key: str, *, now: datetime) -> None:
    """Write a row under this key, whatever stands there: to see whether anything can be written."""
    db.execute(_TOUCH.on(db), {"key": key, "count": 0, "last_at": now})


def use_once(db: Session, name: str, *, window: timedelta, now: datetime) -> bool:
    """Use up what is good once, in the transaction of what it does; False where it was used. `window`: its life."""
    try:
        take(db, RateLimit(f"once:{name}", most=1, window=window), now=now)
    except TooManyAttempts:
        return False
    return True


def was_used(db: Session, name: str, *, window: timedelta, now: datetime) -> bool:
    """Whether what is good once was used up. Takes nothing."""
    try:
        check(db, [RateLimit(f"once:{name}", most=1, window=window)], now=now)
    except TooManyAttempts:
        return True
    return False


def forget(db: Session, *, before: datetime) -> int:
    """Drop the budgets nobody has touched since `before`; the number of them."""
    return len(db.execute(delete(Attempt).where(Attempt.last_at < before).returning(Attempt.key)).all())


def clear(db: Session, keys: Iterable[str], *, beginning: Iterable[str] = ()) -> int:
    """Drop the budgets with these keys, and those whose keys begin so; the number of them."""
    either = [
        Attempt.key.in_(list(keys)),
        *(Attempt.key.startswith(each, autoescape=True) for each in beginning),
    ]
    return len(db.execute(delete(Attempt).where(or_(*either)).returning(Attempt.key)).all())


def _free_again(db: Session, budget: RateLimit, *, now: datetime) -> datetime:
    last_at = db.scalar(select(Attempt.last_at).where(Attempt.key == budget.key))
    return (last_at or now) + budget.window


def _take(insert: Any) -> Executable:
    fresh = insert(_attempts)
    rested = _attempts.c.last_at <= bindparam("rested_since")
    return cast(
        Executable,
        fresh.on_conflict_do_update(
            index_elements=[_attempts.c.key],
            set_={
                "count": case((rested, 1), else_=_attempts.c.count + 1),
                "last_at": fresh.excluded.last_at,
            },
            where=rested | (_attempts.c.count < bindparam("most")),
        ).returning(_attempts.c.count),
    )


_attempts = table_of(Attempt)
_TAKE = for_either(_take)
_TOUCH = for_either(
    lambda insert: insert(_attempts).on_conflict_do_update(
        index_elements=[_attempts.c.key], set_={"last_at": insert(_attempts).excluded.last_at}
    )
)
_LOOK = select(_attempts.c.key, _attempts.c.count, _attempts.c.last_at).where(
    _attempts.c.key.in_(bindparam("keys", expanding=True))
)
_REFUND = (
    update(_attempts)
    .where(_attempts.c.key == bindparam("refunded"), _attempts.c.count > 0)
    .values(count=_attempts.c.count - 1)
)
