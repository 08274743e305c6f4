"""Rate limits against guessing, shared by all workers through the database.

The count starts anew after a whole `window` without an attempt, so that no stretch of that length sees more than `most`
attempts. Rejected attempts do not extend the window: the limit cannot be held closed from outside, and the retry time
shown to the guest is accurate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    String,
    bindparam,
    case,
    delete,
    exists,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from auth.errors import TooManyAttempts
from auth.models import Attempt
from db.base import UtcDateTime
from db.drivers import Row, is_only_writer
from db.prepared import Prepared, Reply
from db.session import driver_of
from db.statements import Insert, for_either, table_of


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`most` attempts for `key` until a `window` has passed without any."""

    key: str
    most: int
    window: timedelta = timedelta(minutes=15)


def of_account(subject: str, mac: str | None) -> RateLimit:
    """The limit of one account. A device that has been on with this account has a budget of its own (`mac`), so that
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
    rested_since = now - budget.window
    taken: int | None = _TAKE.scalar(
        db, key=budget.key, count=1, last_at=now, rested_since=rested_since, most=budget.most
    )
    if taken is None:
        raise refusal(db, budget, now=now)
    return taken


class ChargeUnlessSpent:
    """One statement that takes an attempt: of somebody's own limit where a condition says that who asks is known, else
    of the one for strangers. It takes none where the client's limit is reached, nor of a stranger where the site's is.

    It is made once, and the condition's own values are given with each call.
    """

    def __init__(self, is_known: ColumnElement[bool]) -> None:
        known = select(is_known.label("is_known")).cte("known").c.is_known
        row = select(
            case(
                (known, bindparam("own", type_=String())), else_=bindparam("strangers", type_=String())
            ).label("key"),
            literal_column("1"),
            bindparam("now", type_=UtcDateTime()),
        ).where(~_is_spent("client"), known | ~_is_spent("site"))

        def charge(insert: Insert) -> Executable:
            fresh = insert(_attempts).from_select(["key", "count", "last_at"], row)
            statement: Executable = _counting(fresh, 1).returning(_attempts.c.key)
            return statement

        self._statement = Prepared(for_either(charge))

    def later(
        self,
        db: Session,
        own: RateLimit,
        strangers: RateLimit,
        *,
        client: RateLimit,
        site: RateLimit,
        now: datetime,
        **asked: Any,
    ) -> Reply:
        """Sent with the commit: the key of the limit that was charged, None where none was."""
        return self._statement.later(
            db,
            own=own.key,
            strangers=strangers.key,
            now=now,
            rested_since=now - own.window,
            most=own.most,
            client=client.key,
            client_most=client.most,
            client_since=now - client.window,
            site=site.key,
            site_most=site.most,
            site_since=now - site.window,
            **asked,
        )


def hold(
    db: Session, budget: RateLimit, others: Sequence[RateLimit], *, now: datetime
) -> tuple[int, dict[RateLimit, datetime]]:
    """Lock the limit until the commit, so that `take` cannot fail within this transaction; how many are taken so far,
    and what is `spent` of the others, which are asked with it.

    It takes none, and the window goes on as it did. Raises `TooManyAttempts` when none is left.
    """
    if is_only_writer(driver_of(db)):
        # There is nobody to be locked out.
        counts = _counts(db, [budget, *others], now=now)
        taken_now, free_again = counts.pop(budget, (0, now))
        if taken_now >= budget.most:
            raise TooManyAttempts(free_again)
        return taken_now, _reached(counts)
    held = _HOLD.later(
        db, key=budget.key, count=0, last_at=now, rested_since=now - budget.window, most=budget.most
    )
    others_spent = spent(db, others, now=now)
    taken: int | None = held.scalar()
    if taken is None:
        raise refusal(db, budget, now=now)
    return taken, others_spent


def check(db: Session, budgets: Sequence[RateLimit], *, now: datetime) -> None:
    """Raise `TooManyAttempts` when one of the limits is reached. Charges nothing."""
    if reached := spent(db, budgets, now=now):
        raise TooManyAttempts(max(reached.values()))


def spent(db: Session, budgets: Sequence[RateLimit], *, now: datetime) -> dict[RateLimit, datetime]:
    """Those of these limits that are reached, and when they are free again."""
    return _reached(_counts(db, budgets, now=now))


def count(db: Session, budget: RateLimit, *, now: datetime) -> None:
    """Charge a failure to a limit that only `check` enforces; does nothing where that is reached already."""
    try:
        take(db, budget, now=now)
    except TooManyAttempts:
        return


def refund(db: Session, budget: RateLimit) -> None:
    """Give back an attempt that succeeded."""
    _REFUND.later(db, refunded=budget.key)


def any_spent(db: Session, beginning: str, *, most: int, window: timedelta, now: datetime) -> bool:
    """Whether a limit is reached whose key has this beginning."""
    spent = select(Attempt.key).where(
        Attempt.key.startswith(beginning, autoescape=True),
        Attempt.count >= most,
        Attempt.last_at > now - window,
    )
    return db.scalar(spent.limit(1)) is not None


def touch(db: Session, key: str, *, now: datetime) -> None:
    """Write the row of this key, to check that the database can be written."""
    db.execute(_TOUCH.on(db), {"key": key, "count": 0, "last_at": now})


def use_once(db: Session, name: str, *, window: timedelta, now: datetime) -> bool:
    """Claim a single-use name within the caller's transaction; False if it was claimed before. `window`: its life."""
    try:
        take(db, RateLimit(f"once:{name}", most=1, window=window), now=now)
    except TooManyAttempts:
        return False
    return True


def was_used(db: Session, name: str, *, window: timedelta, now: datetime) -> bool:
    """Whether the single-use name was claimed. Claims nothing."""
    try:
        check(db, [RateLimit(f"once:{name}", most=1, window=window)], now=now)
    except TooManyAttempts:
        return True
    return False


def forget(db: Session, *, before: datetime) -> int:
    """Delete the rows without an attempt since `before`; how many."""
    return len(db.execute(delete(Attempt).where(Attempt.last_at < before).returning(Attempt.key)).all())


def clear(db: Session, keys: Iterable[str], *, beginning: Iterable[str] = ()) -> int:
    """Delete the rows with these keys or with these beginnings of keys; how many."""
    either = [
        Attempt.key.in_(list(keys)),
        *(Attempt.key.startswith(each, autoescape=True) for each in beginning),
    ]
    return len(db.execute(delete(Attempt).where(or_(*either)).returning(Attempt.key)).all())


def _counts(
    db: Session, budgets: Sequence[RateLimit], *, now: datetime
) -> dict[RateLimit, tuple[int, datetime]]:
    """Of these limits those that count anything now: how many are taken, and when all are free again."""
    by_key = {budget.key: budget for budget in budgets}
    return {
        by_key[key]: (taken, last_at + by_key[key].window)
        for key, taken, last_at in _look(db, list(by_key))
        if last_at > now - by_key[key].window
    }


def _reached(counts: Mapping[RateLimit, tuple[int, datetime]]) -> dict[RateLimit, datetime]:
    return {budget: free_again for budget, (taken, free_again) in counts.items() if taken >= budget.most}


def _look(db: Session, keys: list[str]) -> Iterator[Row]:
    """Key, count and time of those of these that there are. No key is NULL, which stands for those that lack."""
    for part in (keys[at : at + len(_KEYS)] for at in range(0, len(keys), len(_KEYS))):
        asked = [*part, *[None] * (len(_KEYS) - len(part))]
        yield from _LOOK.all(db, **dict(zip(_KEYS, asked, strict=True)))


def refusal(db: Session, budget: RateLimit, *, now: datetime) -> TooManyAttempts:
    """What to raise where none of the limit is left."""
    last_at = db.scalar(select(Attempt.last_at).where(Attempt.key == budget.key))
    return TooManyAttempts((last_at or now) + budget.window)


def _take(insert: Insert) -> Executable:
    statement: Executable = _counting(insert(_attempts), 1).returning(_attempts.c.count)
    return statement


def _hold(insert: Insert) -> Executable:
    statement: Executable = _counting(insert(_attempts), 0).returning(_attempts.c.count)
    return statement


def _counting(fresh: Any, taken: int) -> Any:
    rested = _attempts.c.last_at <= bindparam("rested_since")
    now = fresh.excluded.last_at
    return fresh.on_conflict_do_update(
        index_elements=[_attempts.c.key],
        set_={
            "count": case((rested, taken), else_=_attempts.c.count + taken),
            # What takes none leaves the window as it is.
            "last_at": now if taken else case((rested, now), else_=_attempts.c.last_at),
        },
        where=rested | (_attempts.c.count < bindparam("most")),
    )


def _is_spent(name: str) -> ColumnElement[bool]:
    return exists().where(
        _attempts.c.key == bindparam(name, type_=String()),
        _attempts.c.count >= bindparam(f"{name}_most"),
        _attempts.c.last_at > bindparam(f"{name}_since", type_=UtcDateTime()),
    )


_attempts = table_of(Attempt)
_TAKE, _HOLD = Prepared(for_either(_take)), Prepared(for_either(_hold))
_TOUCH = for_either(
    lambda insert: insert(_attempts).on_conflict_do_update(
        index_elements=[_attempts.c.key], set_={"last_at": insert(_attempts).excluded.last_at}
    )
)
_KEYS = ("first", "second", "third", "fourth")
_asked = [bindparam(name, type_=String()) for name in _KEYS]
_BUDGETS = select(_attempts.c.key, _attempts.c.count, _attempts.c.last_at)
# One by one: for several at once PostgreSQL reads the whole table, where that was small when it made its plan, and
# SQLite makes a table of the keys first.
_LOOK = Prepared(union_all(*(_BUDGETS.where(_attempts.c.key == key) for key in _asked)))
_REFUND = Prepared(
    update(_attempts)
    .where(_attempts.c.key == bindparam("refunded"), _attempts.c.count > 0)
    .values(count=_attempts.c.count - 1)
)
