"""The stays of a day, cut and counted by the database: one statement, whose answer is a few numbers for each site.

`definitions` says in Python what is counted here in SQL: a test has both count the same random days. Instants are whole
microseconds in here, so that what is rounded down is rounded down as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from db.arithmetic import greater_of, lesser_of, microseconds
from db.base import UtcDateTime
from db.statements import table_of
from sessions.models import AccessSession, EndReason, Lease
from sessions.statistics import definitions
from sessions.statistics.calendar import HOUR, Span
from sites.models import SigninMethod

# No stay is longer: a pass of a month, and a day.
LONGEST_STAY = timedelta(days=32)
# The longest day has 25 hours.
MOST_HOURS = 25
SESSIONS, SECONDS, HOUR_SECONDS, CHANGES, VISITS = "sessions", "seconds", "hour seconds", "changes", "visits"
# The second digits of addresses with the locally administered bit: `definitions.is_random`.
RANDOM_DIGITS = tuple(digit for digit in "0123456789abcdef" if definitions.is_random("0" + digit))


class Counted(NamedTuple):
    """One row of the answer: a number of one network at one site.

    | `part` | `place` | `word` | `number` |
    |---|---|---|---|
    | SESSIONS | the hour in which they began | way in | sessions; `again` gone on, `random` with a made-up address |
    | SECONDS | | | connected time |
    | HOUR_SECONDS | an hour | | connected time in it |
    | CHANGES | a mark of five minutes | | stays that began since the mark before, less those that ended |
    | VISITS | | device | its visits that began |

    Hours and marks are counted from the beginning of the day.
    """

    part: str
    network_id: int
    site_id: int
    place: int
    word: str
    number: int
    again: int
    random: int


def count(db: Session, day: Span, *, window: Span) -> Iterator[Counted]:
    """What is counted of the stays of `day`, a local day.

    `window` holds the day in every zone: a device that goes on under a new address is followed as far in each.
    """
    bounds = {
        "since": window.start - definitions.VISIT_GAP,
        "earliest": window.start - LONGEST_STAY,
        "before": window.end,
        "day": _micro(day.start),
        "day_end": _micro(day.end),
    }
    return map(Counted._make, db.execute(_STATEMENT, bounds))


def _micro(at: datetime) -> int:
    """Local days begin at full seconds."""
    return int(at.timestamp()) * 1_000_000


def _length(duration: timedelta) -> Any:
    return literal(duration // timedelta(microseconds=1), BigInteger)


_access, _lease = table_of(AccessSession).c, table_of(Lease).c
_day, _day_end = bindparam("day", type_=BigInteger), bindparam("day_end", type_=BigInteger)
_since, _earliest, _before = (
    bindparam(name, type_=UtcDateTime()) for name in ("since", "earliest", "before")
)


def _present() -> CTE:
    """The sessions that may have been there: the ended ones and the open ones, each by an index of their own."""
    began = and_(
        _access.started_at >= _earliest,
        _access.started_at < _before,
        # Cameras and tablets of the town are no visitors: no figure counts them.
        _access.method != SigninMethod.MANAGED,
    )
    taken = (_access.id, _access.network_id, _access.method, _access.previous_id, _access.end_reason)
    ended = select(*taken, microseconds(_access.ended_at).label("closes")).where(
        began, _access.ended_at > _since
    )
    running = select(*taken, microseconds(_access.until).label("closes")).where(
        began, _access.ended_at.is_(None), _access.until > _since
    )
    return union_all(ended, running).cte("present")


def _stretches(present: CTE) -> CTE:
    """Sessions cut where they went to another site, by their leases that a gateway confirmed.

    A renewal at the same site begins no new stretch.
    """
    own: dict[str, Any] = {
        "partition_by": _lease.access_id,
        "order_by": (_lease.created_at, _lease.id),
    }
    leases = (
        select(
            present,
            _lease.id.label("lease_id"),
            _lease.site_id,
            microseconds(_lease.created_at).label("begins"),
            func.first_value(_lease.mac).over(**own).label("mac"),
            func.lag(_lease.site_id).over(**own).label("site_before"),
        )
        .join_from(present, table_of(Lease), _lease.access_id == present.c.id)
        .where(_lease.confirmed_at.is_not(None))
        .subquery()
    )
    following = func.lead(leases.c.begins).over(
        partition_by=leases.c.id, order_by=(leases.c.begins, leases.c.lease_id)
    )
    left = lesser_of(func.coalesce(following, leases.c.closes), leases.c.closes)
    # Yes and no as columns of their own: of those PostgreSQL expects half, of what it cannot know next to nothing, and
    # then it joins row by row.
    told = (
        greater_of(leases.c.begins, left).label("ends"),
        leases.c.site_before.is_(None).label("is_first"),
        (func.coalesce(leases.c.end_reason, "") == EndReason.MOVED.value).label("is_moved"),
    )
    return (
        select(leases, *told)
        .where(or_(leases.c.site_before.is_(None), leases.c.site_before != leases.c.site_id))
        .cte("stretches")
        .prefix_with("MATERIALIZED")
    )


def _followed(stretches: CTE) -> CTE:
    """The first address of each device that went on under new ones, by the sessions in which it did."""
    first, before = (
        select(stretches.c.id, stretches.c.previous_id, stretches.c.is_moved, stretches.c.mac)
        .where(stretches.c.is_first)
        .cte(name)
        for name in ("firsts", "befores")
    )
    heads = (
        select(first.c.id, first.c.is_moved, first.c.mac)
        .outerjoin_from(first, before, and_(before.c.id == first.c.previous_id, before.c.is_moved))
        .where(first.c.is_moved, before.c.id.is_(None))
        .cte("followed", recursive=True)
    )
    return heads.union_all(
        select(first.c.id, first.c.is_moved, heads.c.mac)
        .join_from(heads, first, first.c.previous_id == heads.c.id)
        .where(heads.c.is_moved)
    )


def _stays() -> CTE:
    """The stretches of the day, and those shortly before it, which a visit may go on from."""
    stretches = _stretches(_present())
    followed = _followed(stretches)
    return (
        select(
            stretches.c.network_id,
            stretches.c.site_id,
            stretches.c.method,
            stretches.c.previous_id,
            stretches.c.mac,
            func.coalesce(followed.c.mac, stretches.c.mac).label("device"),
            stretches.c.begins,
            stretches.c.ends,
            stretches.c.is_first,
        )
        .outerjoin_from(stretches, followed, followed.c.id == stretches.c.id)
        .where(stretches.c.begins < _day_end, stretches.c.ends > _day - _length(definitions.VISIT_GAP))
        .cte("stays")
        .prefix_with("MATERIALIZED")
    )


def _seconds(begins: ColumnElement[int], ends: ColumnElement[int]) -> ColumnElement[int]:
    """The sum of whole seconds, each stay's rounded down; none of those that were over before or began after."""
    return func.sum(greater_of(0, ends - begins) // literal(1_000_000, BigInteger))


def _part(
    part: str,
    stays: Any,
    number: ColumnElement[Any],
    *,
    place: ColumnElement[Any] | None = None,
    word: ColumnElement[Any] | None = None,
    more: tuple[ColumnElement[Any], ...] = (),
) -> Select[Any]:
    """A part of the answer; `Counted` has its columns. All have the same types, as a UNION asks."""
    nothing = literal(0, BigInteger)
    keys = [each for each in (place, word) if each is not None]
    chosen = [
        literal(part, String).label("part"),
        stays.c.network_id,
        stays.c.site_id,
        cast(nothing if place is None else place, Integer).label("place"),
        (literal("", String) if word is None else cast(word, String)).label("word"),
        *(cast(each, BigInteger) for each in (number, *more, *[nothing] * (2 - len(more)))),
    ]
    return select(*chosen).group_by(stays.c.network_id, stays.c.site_id, *keys)


def _sessions(stays: CTE) -> Select[Any]:
    is_random = func.substr(stays.c.mac, 2, 1).in_(RANDOM_DIGITS)
    more = (
        func.count(stays.c.previous_id),
        func.sum(case((is_random, 1), else_=0)),
    )
    hour = (stays.c.begins - _day) // _length(HOUR)
    part = _part(SESSIONS, stays, func.count(), place=hour, word=stays.c.method, more=more)
    return part.where(stays.c.is_first, stays.c.begins >= _day)


def _time(stays: CTE) -> Iterator[Select[Any]]:
    """The connected time of the day, and of each of its hours."""
    whole = _seconds(greater_of(stays.c.begins, _day), lesser_of(stays.c.ends, _day_end))
    yield _part(SECONDS, stays, whole)
    numbers = select(literal(0, Integer).label("number")).cte("hours", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < MOST_HOURS - 1))
    start = _day + numbers.c.number * _length(HOUR)
    end = lesser_of(start + _length(HOUR), _day_end)
    within = _seconds(greater_of(stays.c.begins, start), lesser_of(stays.c.ends, end))
    yield (
        _part(HOUR_SECONDS, stays, within, place=numbers.c.number).join_from(
            stays, numbers, and_(stays.c.begins < end, stays.c.ends > start)
        )
    )


def _changes(stays: CTE) -> Select[Any]:
    """At the first mark that does not come before it a stay begins to count, and ends to."""

    def mark(at: ColumnElement[int]) -> ColumnElement[int]:
        step = _length(definitions.AT_ONCE_EVERY)
        reached = (greater_of(0, at - _day) + step - 1) // step
        return lesser_of(reached, (_day_end - _day) // step)

    here = (stays.c.network_id, stays.c.site_id)
    changes = union_all(
        select(*here, mark(stays.c.begins).label("mark"), literal(1, Integer).label("change")),
        select(*here, mark(stays.c.ends), literal(-1, Integer)),
    ).subquery()
    return _part(CHANGES, changes, func.sum(changes.c.change), place=changes.c.mark)


def _visits(stays: CTE) -> Select[Any]:
    """Visits by device, as `definitions.visits` tells them apart."""
    left = func.max(stays.c.ends).over(
        partition_by=(stays.c.network_id, stays.c.site_id, stays.c.device),
        order_by=(stays.c.begins, stays.c.ends),
        rows=(None, -1),
    )
    here = select(stays.c.network_id, stays.c.site_id, stays.c.device, stays.c.begins, left.label("left"))
    seen = here.subquery()
    is_new = or_(seen.c.left.is_(None), seen.c.begins - seen.c.left >= _length(definitions.VISIT_GAP))
    return _part(VISITS, seen, func.count(), word=seen.c.device).where(is_new, seen.c.begins >= _day)


def _answer() -> Any:
    stays = _stays()
    return union_all(_sessions(stays), *_time(stays), _changes(stays), _visits(stays))


_STATEMENT = _answer()
