"""A month's secret, and what is left of its devices once it is closed: numbers, and irreversible sketches."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from db import secure_erase
from db.statements import for_either, table_of
from sessions.statistics.calendar import DAY, first_of_month, next_month
from sessions.statistics.models import DaySketch, FigureDay, FigureSalt, MonthSketch
from sessions.statistics.service import Pair
from sessions.statistics.sketch import SALT_BYTES, Sketch, merged


class DestroyedSalt(Exception):
    """The devices of this month cannot be counted again: what they were counted with exists no more."""

    def __init__(self, month: date, destroyed_at: datetime) -> None:
        super().__init__(month, destroyed_at)
        self.month = month
        self.destroyed_at = destroyed_at


def make_salt(db: Session, month: date, *, draw: Callable[[int], bytes] = secrets.token_bytes) -> None:
    """See to it that the month has a salt, or has had one. Harmless to repeat, and at the same time."""
    db.execute(_MAKE.on(db), {"month": month, "salt": draw(SALT_BYTES)})


def salt_of(db: Session, month: date) -> bytes:
    """The month's salt. Raises `DestroyedSalt`."""
    row = db.scalars(select(FigureSalt).where(FigureSalt.month == month)).one()
    if row.salt is None:
        assert row.destroyed_at is not None
        raise DestroyedSalt(month, row.destroyed_at)
    return row.salt


def due(db: Session) -> date | None:
    """The first month whose days all have their figures and whose salt is still there; None where there is none."""
    last = db.scalar(select(FigureDay.day).order_by(FigureDay.day.desc()).limit(1))
    month = db.scalar(
        select(FigureSalt.month).where(FigureSalt.salt.is_not(None)).order_by(FigureSalt.month).limit(1)
    )
    # Days are made in their order: the last one is there when all of them are.
    return month if last and month and last + DAY >= next_month(month) else None


def close(db: Session, month: date, *, now: datetime) -> bool:
    """Keep one sketch for each network and site, drop those of the days, destroy the salt. False if it was done.

    The rows are overwritten; `db.secure_erase.settle` sees to what the database's own files still hold of them.
    """
    secure_erase.overwrite(db)
    claimed = db.scalars(
        update(FigureSalt)
        .where(FigureSalt.month == month, FigureSalt.salt.is_not(None))
        .values(salt=None, destroyed_at=now)
        .returning(FigureSalt.month)
        .execution_options(synchronize_session=False)
    ).first()
    if claimed is None:
        return False
    sketches = day_sketches(db, month, next_month(month))
    by_pair: defaultdict[Pair, list[Sketch]] = defaultdict(list)
    for _, pair, sketch in sketches:
        by_pair[pair].append(sketch)
    rows = [_month_row(month, pair, merged(own)) for pair, own in sorted(by_pair.items())]
    if rows:
        db.execute(insert(MonthSketch), rows)
    db.execute(delete(DaySketch).where(DaySketch.day >= month, DaySketch.day < next_month(month)))
    return True


def day_sketches(db: Session, first: date, end: date) -> list[tuple[date, Pair, Sketch]]:
    """The sketches of the days in [first, end), as far as they are kept."""
    rows = db.scalars(
        select(DaySketch)
        .where(DaySketch.day >= first, DaySketch.day < end)
        .order_by(DaySketch.day, DaySketch.network_id, DaySketch.site_id)
    )
    return [(row.day, (row.network_id, row.site_id), Sketch.from_bytes(row.sketch)) for row in rows]


def month_sketches(db: Session, first: date, last: date) -> list[tuple[date, Pair, Sketch]]:
    """The sketches of the closed months from the one of `first` to the one of `last`."""
    rows = db.scalars(
        select(MonthSketch)
        .where(MonthSketch.month >= first_of_month(first), MonthSketch.month <= last)
        .order_by(MonthSketch.month, MonthSketch.network_id, MonthSketch.site_id)
    )
    return [(row.month, (row.network_id, row.site_id), Sketch.from_bytes(row.sketch)) for row in rows]


def estimates(sketches: Iterable[tuple[Pair, Sketch]]) -> tuple[int, dict[str, int]]:
    """How many devices these are about: everywhere, and by network id."""
    by_network: defaultdict[int, Sketch] = defaultdict(Sketch)
    for (network_id, _), sketch in sketches:
        by_network[network_id].merge(sketch)
    whole = merged(by_network.values())
    return whole.estimate(), {str(number): by_network[number].estimate() for number in sorted(by_network)}


def _month_row(month: date, pair: Pair, sketch: Sketch) -> dict[str, object]:
    network_id, site_id = pair
    return {
        "month": month,
        "network_id": network_id,
        "site_id": site_id,
        "devices": sketch.estimate(),
        "sketch": sketch.to_bytes(),
    }


_salts = table_of(FigureSalt)
_MAKE = for_either(lambda insert_: insert_(_salts).on_conflict_do_nothing(index_elements=[_salts.c.month]))
