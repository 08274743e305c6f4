"""Counters that only grow, whatever becomes of the reports: doubled, late, lost, wrapped, begun again.

A gateway's counter is cumulative. Each row of `Usage` remembers what it was last told, and by the report of which
sequence: what a later report says beyond that is added. A report that is not later adds nothing. A counter that went
down has either gone through its highest value, where the gateway says that it has such (`bits`), or begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    String,
    and_,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from db.base import UtcDateTime
from db.each import ForEach
from db.statements import ForEither, for_either, table_of
from sessions.models import AccessSession, Usage

SHORTEST_STRETCH = timedelta(seconds=5)
COUNTERS = ("bytes_up", "bytes_down", "packets_up", "packets_down")


@dataclass(frozen=True, slots=True)
class CounterSource:
    """Whose counters, in which life of theirs, by which report. `bits` is their width."""

    gateway_id: int
    epoch: str
    sequence: int
    bits: int


def grow(
    db: Session, source: CounterSource, rows: Sequence[tuple[int, int, int, int, int]], *, now: datetime
) -> None:
    """Take in what a report says of these access sessions: number, then the four counters of `COUNTERS`.

    Each number comes once.
    """
    _GROW.run(db, sorted(rows), **_shared(source, now))


def grow_each(
    db: Session,
    rows: Sequence[tuple[int, str, int, int, int, int, int]],
    *,
    gateway_id: int,
    bits: int,
    now: datetime,
) -> None:
    """The same for counters that each have a source of their own at one gateway: number, epoch, sequence, counters."""
    shared = _shared(CounterSource(gateway_id, "", 0, bits), now)
    del shared["epoch"], shared["sequence"]
    _GROW_EACH.run(db, sorted(rows), **shared)


def touch(db: Session, seen: dict[int, datetime]) -> None:
    """Note when the clients of these access sessions last sent something. Never back, and never past an end."""
    _TOUCH.run(db, sorted(seen.items()))


def _shared(source: CounterSource, now: datetime) -> dict[str, Any]:
    return {
        "gateway": source.gateway_id,
        "epoch": source.epoch,
        "sequence": source.sequence,
        "at": now,
        # One less than the modulus fits a signed 64-bit number.
        "top": 2**source.bits - 1 if source.bits < 63 else 0,
        "half": 2 ** (source.bits - 1) if source.bits < 63 else 2**63 - 1,
    }


def _grown(fresh: Any, *, is_postgres: bool) -> Executable:
    """Add to what is there what its counters have grown since; `fresh` inserts what is new."""
    reported, row = fresh.excluded, _usage.c
    greater: Any = func.greatest if is_postgres else func.max
    sums: dict[str, ColumnElement[Any]] = {}
    for name in COUNTERS:
        last, new = row[f"last_{name}"], reported[name]
        wrapped = and_(_TOP > 0, last >= _HALF, new < _HALF)
        step = case((new >= last, new - last), (wrapped, new + (_TOP - last) + 1), else_=new)
        sums |= {name: row[name] + step, f"last_{name}": new}
        if name == "bytes_down":
            pace = _pace(step, row.updated_at, reported.updated_at, is_postgres=is_postgres)
            sums["best_down_kbps"] = greater(row.best_down_kbps, pace)
    grown: Executable = fresh.on_conflict_do_update(
        index_elements=[row.access_id, row.gateway_id, row.epoch],
        set_={**sums, "sequence": reported.sequence, "updated_at": reported.updated_at},
        where=reported.sequence > row.sequence,
    )
    return grown


def _pace(grown: Any, before: Any, after: Any, *, is_postgres: bool) -> ColumnElement[int]:
    """What a client took since the report before this one, in kbit/s by our own clock; 0 where that was just now.

    Reports that were held up on their way arrive in a bunch: the moment between two of them says nothing.
    """
    seconds: ColumnElement[Any] = (
        extract("epoch", after - before)
        if is_postgres
        else (func.julianday(after) - func.julianday(before)) * 86400.0
    )
    kbps = cast(grown / (125.0 * seconds), BigInteger)
    return case((seconds >= SHORTEST_STRETCH.total_seconds(), kbps), else_=0)


def _each_alone(given: Any) -> ForEither:
    columns = _columns_of(given)
    return for_either(
        lambda insert: _grown(insert(_usage).values(columns), is_postgres=insert is postgresql.insert)
    )


def _each_at_once(given: Any) -> Executable:
    columns = _columns_of(given)
    # Rows are locked in the order of their numbers, so that concurrent reports cannot deadlock.
    source = select(*columns.values()).order_by(given.number)
    return _grown(postgresql.insert(_usage).from_select(list(columns), source), is_postgres=True)


def _columns_of(given: Any) -> dict[str, Any]:
    counters = {name: getattr(given, name) for name in COUNTERS}
    last = {f"last_{name}": value for name, value in counters.items()}
    # Of each row, or of all of them.
    source = {name: getattr(given, name, _SHARED[name]) for name in ("epoch", "sequence")}
    best = {"best_down_kbps": literal(0, BigInteger)}
    return {"access_id": given.number, **_SHARED, **source, **counters, **last, **best}


def _touched(given: Any) -> Executable:
    within = or_(_accesses.c.ended_at.is_(None), _accesses.c.ended_at >= given.seen)
    later = _accesses.c.last_seen_at < given.seen
    return (
        update(_accesses).where(_accesses.c.id == given.number, later, within).values(last_seen_at=given.seen)
    )


_usage, _accesses = table_of(Usage), table_of(AccessSession)
_TOP, _HALF = bindparam("top", type_=BigInteger), bindparam("half", type_=BigInteger)
_SHARED = {
    "gateway_id": bindparam("gateway", type_=BigInteger),
    "epoch": bindparam("epoch", type_=String),
    "sequence": bindparam("sequence", type_=BigInteger),
    "updated_at": bindparam("at", type_=UtcDateTime()),
}
_NUMBER: dict[str, TypeEngine[Any]] = {"number": BigInteger()}
_SOURCE: dict[str, TypeEngine[Any]] = {"epoch": String(), "sequence": BigInteger()}
_COUNTERS: dict[str, TypeEngine[Any]] = {name: BigInteger() for name in COUNTERS}
_GROW = ForEach(_each_alone, _NUMBER | _COUNTERS, build_many=_each_at_once)
_GROW_EACH = ForEach(_each_alone, _NUMBER | _SOURCE | _COUNTERS, build_many=_each_at_once)
_TOUCH = ForEach(_touched, {"number": BigInteger(), "seen": UtcDateTime()})
