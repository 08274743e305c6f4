"""Purge policies: which rows of a table are past retention, which are on hold, how they are deleted in batches.

A shelf knows which of its rows are past their term and which a hold keeps; `clear` deletes a few of the rest. What
hangs on a row goes with it: counters, leases and links to a session never outlive it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, CursorResult, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from db.base import Base
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Lease
from sessions.retention import holds
from sessions.retention.models import LegalHold

Condition = ColumnElement[bool]
# What happened before this instant is past its term, for each class.
Cutoffs = Mapping[DataClass, datetime]


@dataclass(frozen=True, slots=True)
class Measure:
    """How many rows a table has, how many are past their term, and how many of these are held."""

    table: str
    data_class: DataClass
    total: int
    due: int
    held: int


class PurgePolicy(Protocol):
    """One table, or one with those that hang on it. The first measure is the table's own."""

    def measure(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold]) -> list[Measure]: ...

    def clear(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold], *, most: int) -> dict[str, int]:
        """Delete up to `most` rows; how many of each table."""
        ...


@dataclass(frozen=True, slots=True)
class RowPurge:
    """A table whose rows leave one by one."""

    model: type[Base]
    data_class: DataClass
    keys: tuple[Any, ...]
    past: Callable[[Cutoffs], Condition]
    held: Callable[[LegalHold], Condition] | None = None
    # Other rows still refer to it: it waits for them.
    waits: Condition | None = None

    def measure(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold]) -> list[Measure]:
        past = self.past(cutoffs)
        return [
            Measure(
                self.model.__tablename__,
                self.data_class,
                count(db, self.model),
                count(db, self.model, past),
                count(db, self.model, past, self._kept(held)) if held and self.held else 0,
            )
        ]

    def clear(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold], *, most: int) -> dict[str, int]:
        chosen = select(*self.keys).where(self.past(cutoffs), ~self._kept(held)).limit(most)
        if self.waits is not None:
            chosen = chosen.where(~self.waits)
        rows = [tuple(row) for row in db.execute(chosen)]
        if not rows:
            return {}
        single = len(self.keys) == 1
        which = self.keys[0].in_([row[0] for row in rows]) if single else tuple_(*self.keys).in_(rows)
        return {self.model.__tablename__: remove(db, self.model, which)}

    def _kept(self, held: Sequence[LegalHold]) -> Condition:
        return holds.any_of([self.held(hold) for hold in held] if self.held else [])


@dataclass(frozen=True, slots=True)
class Dependent:
    """A table that hangs on access sessions by `access_id`. `detach`: the row stays and forgets whose it was."""

    model: type[Base]
    data_class: DataClass
    access_id: Any
    detach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionPurge:
    """Access sessions, each with all that hangs on it, children first."""

    dependents: tuple[Dependent, ...]

    def measure(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold]) -> list[Measure]:
        past, kept = stay_is_past(cutoffs), stay_is_held(held)
        measures = [
            Measure(
                AccessSession.__tablename__,
                DataClass.CONNECTION,
                count(db, AccessSession),
                count(db, AccessSession, past),
                count(db, AccessSession, past, kept) if held else 0,
            )
        ]
        for one in self.dependents:
            if one.detach:
                continue
            of_past = one.access_id.in_(select(AccessSession.id).where(past))
            of_held = one.access_id.in_(select(AccessSession.id).where(past, kept))
            measures.append(
                Measure(
                    one.model.__tablename__,
                    one.data_class,
                    count(db, one.model),
                    count(db, one.model, of_past),
                    count(db, one.model, of_held) if held else 0,
                )
            )
        return measures

    def clear(self, db: Session, cutoffs: Cutoffs, held: Sequence[LegalHold], *, most: int) -> dict[str, int]:
        chosen = (
            select(AccessSession.id)
            .where(stay_is_past(cutoffs), ~stay_is_held(held))
            .order_by(AccessSession.ended_at)
            .limit(most)
        )
        ids = list(db.scalars(chosen))
        if not ids:
            return {}
        gone: dict[str, int] = {}
        for one in self.dependents:
            which = one.access_id.in_(ids)
            if one.detach:
                forget = update(one.model).where(which).values(dict.fromkeys(one.detach))
                db.execute(forget.execution_options(synchronize_session=False))
            else:
                gone[one.model.__tablename__] = remove(db, one.model, which)
        # Who went on from one of these goes on without it.
        successors = update(AccessSession).where(AccessSession.previous_id.in_(ids)).values(previous_id=None)
        db.execute(successors.execution_options(synchronize_session=False))
        gone[AccessSession.__tablename__] = remove(db, AccessSession, AccessSession.id.in_(ids))
        return gone


def stay_is_past(cutoffs: Cutoffs) -> Condition:
    """Only what has ended has a term."""
    return AccessSession.ended_at < cutoffs[DataClass.CONNECTION]


def stay_is_held(held: Sequence[LegalHold]) -> Condition:
    return holds.any_of([stay_held_by(hold) for hold in held])


def stay_held_by(hold: LegalHold) -> Condition:
    """Whether a hold keeps an access session: by any address it had, or any site it was at."""

    def at_address(value: str) -> Condition:
        leased = (
            select(Lease.id)
            .where(
                Lease.access_id == AccessSession.id,
                (Lease.address == value) | (Lease.public_address == value),
            )
            .exists()
        )
        return (AccessSession.address == value) | leased

    def at_site(value: int) -> Condition:
        leased = select(Lease.id).where(Lease.access_id == AccessSession.id, Lease.site_id == value).exists()
        return (AccessSession.site_id == value) | leased

    return holds.covers(
        hold,
        mac=AccessSession.mac,
        address=at_address,
        subject=AccessSession.subject,
        site=at_site,
        network=AccessSession.network_id,
        began=AccessSession.started_at,
        ended=AccessSession.ended_at,
    )


def count(db: Session, model: type[Base], *which: Condition) -> int:
    return db.scalar(select(func.count()).select_from(model).where(*which)) or 0


def remove(db: Session, model: type[Base], which: Condition) -> int:
    done = db.execute(delete(model).where(which).execution_options(synchronize_session=False))
    return cast(CursorResult[Any], done).rowcount
