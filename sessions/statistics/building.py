"""The figures of a day: made once, when the day is over and late accounting is in; made again, to prove them.

Days are made in their order, one by one, so that the work can be stopped anywhere and goes on where it was. What a
day's figures are depends on its rows alone: neither on when they are made, nor in which order, nor by how many at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from db.statements import for_either, table_of
from sessions.models import AccessSession, Decision, Outage
from sessions.statistics import gathering, months, service
from sessions.statistics.calendar import DAY, first_of_month, span_of
from sessions.statistics.definitions import GRACE, VERSION
from sessions.statistics.models import DayFigures, DaySketch, FigureDay
from sessions.statistics.service import Basis, Pair
from sessions.statistics.sketch import Sketch, count
from sites.models import Site


class MissingRows(Exception):
    """The rows behind the figures of this day are gone, by law: they cannot be made again, and stay as they are."""

    def __init__(self, day: date) -> None:
        super().__init__(day)
        self.day = day


@dataclass(frozen=True, slots=True)
class Made:
    """The figures of a day before they are written. `sketches` are None where devices cannot be counted any more."""

    day: date
    figures: Mapping[Pair, dict[str, Any]]
    sketches: Mapping[Pair, Sketch] | None


def due(db: Session, *, now: datetime) -> date | None:
    """The next day whose figures can be made, or None.

    A day waits until it has been over for `GRACE` at every site, and until the books of its sessions are closed.
    """
    zones = db.scalars(select(Site.zone).distinct()).all()
    if not zones:
        return None
    last = db.scalar(select(func.max(FigureDay.day)))
    day = last + DAY if last else _first_day(db, zones)
    if day is None:
        return None
    end = max(span_of(day, zone).end for zone in zones)
    return None if now < end + GRACE or _is_open(db, before=end) else day


def made_days(db: Session, *, first: date, last: date) -> list[date]:
    """The days from `first` to `last`, both included, whose figures are made, in their order."""
    return list(
        db.scalars(select(FigureDay.day).where(FigureDay.day.between(first, last)).order_by(FigureDay.day))
    )


def make(db: Session, day: date, *, bases: Mapping[Pair, Basis] | None = None, devices: bool = True) -> Made:
    """Work out the figures of a day from its rows. Writes nothing, so it may take its time.

    `months.make_salt` has been called for its month. Raises `months.DestroyedSalt` where `devices` are asked for.
    """
    salt = months.salt_of(db, first_of_month(day)) if devices else None
    gathered = gathering.gather(db, day, service.pairs_on(db, day) if bases is None else bases)
    figures = {pair: gathering.figures_of(own, day) for pair, own in sorted(gathered.items())}
    if salt is None:
        return Made(day, figures, None)
    return Made(day, figures, {pair: count(own.visits, salt=salt) for pair, own in sorted(gathered.items())})


def store(db: Session, made: Made, *, now: datetime) -> bool:
    """Write the figures of a day; False where another process has."""
    assert made.sketches is not None
    devices, by_network = months.estimates(made.sketches.items())
    values = {
        "day": made.day,
        "version": VERSION,
        "made_at": now,
        "devices": devices,
        "devices_by_network": by_network,
    }
    if db.scalars(_CLAIM.on(db), values).first() is None:
        return False
    figures = [_row(made.day, pair, devices=_devices(made, pair), **own) for pair, own in _items(made)]
    sketches = [_row(made.day, pair, sketch=sketch.to_bytes()) for pair, sketch in made.sketches.items()]
    if figures:
        db.execute(insert(DayFigures), figures)
        db.execute(insert(DaySketch), sketches)
    _mark(db, made.day)
    return True


def rebuild(db: Session, day: date, *, devices: bool = True) -> Made:
    """Work out once more the figures of a day that has them, from the same records of sites and networks.

    Raises `MissingRows` where less is left than was counted, and `months.DestroyedSalt`: then only with `devices` off.
    """
    stored = {(row.network_id, row.site_id): row for row in _stored(db, day)}
    bases = {pair: Basis.read(row.basis) for pair, row in stored.items()}
    made = make(db, day, bases=bases, devices=devices)
    if any(_lacks(made.figures[pair], row) for pair, row in stored.items()):
        raise MissingRows(day)
    return made


def replace(db: Session, made: Made) -> None:
    """Put the figures of `rebuild` in the place of those that are there."""
    kept = {(row.network_id, row.site_id): row.devices for row in _stored(db, made.day)}
    head = db.get_one(FigureDay, made.day)
    head.version = VERSION
    db.execute(delete(DayFigures).where(DayFigures.day == made.day))
    found = {pair: _devices(made, pair) for pair in made.sketches} if made.sketches else kept
    figures = [_row(made.day, pair, devices=found[pair], **own) for pair, own in _items(made)]
    if figures:
        db.execute(insert(DayFigures), figures)
    if made.sketches is not None:
        db.execute(delete(DaySketch).where(DaySketch.day == made.day))
        sketches = [_row(made.day, pair, sketch=sketch.to_bytes()) for pair, sketch in made.sketches.items()]
        if sketches:
            db.execute(insert(DaySketch), sketches)
        head.devices, head.devices_by_network = months.estimates(made.sketches.items())
    _mark(db, made.day)


def canonical(db: Session, day: date) -> bytes:
    """All that is kept of a day, as lines of JSON with sorted keys: equal figures give equal bytes."""
    head = db.get_one(FigureDay, day)
    lines: list[dict[str, Any]] = [
        {"version": head.version, "devices": head.devices, "devices_by_network": head.devices_by_network}
    ]
    lines += [
        {column.key: _plain(getattr(row, column.key)) for column in table_of(DayFigures).columns}
        for row in _stored(db, day)
    ]
    lines += [
        {"network_id": pair[0], "site_id": pair[1], "sketch": sketch.to_bytes().hex()}
        for _, pair, sketch in months.day_sketches(db, day, day + DAY)
    ]
    return b"".join(
        json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n" for line in lines
    )


def _mark(db: Session, day: date) -> None:
    """Note what the day was counted to, so that whatever was computed from it can tell whether it still holds."""
    db.get_one(FigureDay, day).digest = hashlib.sha256(canonical(db, day)).hexdigest()
    db.flush()


def _devices(made: Made, pair: Pair) -> int:
    """The estimate; each device made a visit, so where it errs upward it ends there."""
    assert made.sketches is not None
    visits: int = made.figures[pair]["visits"]
    return min(made.sketches[pair].estimate(), visits)


def _items(made: Made) -> list[tuple[Pair, dict[str, Any]]]:
    return sorted(made.figures.items())


def _row(day: date, pair: Pair, **values: Any) -> dict[str, Any]:
    return {"day": day, "network_id": pair[0], "site_id": pair[1], **values}


def _stored(db: Session, day: date) -> list[DayFigures]:
    return list(
        db.scalars(
            select(DayFigures)
            .where(DayFigures.day == day)
            .order_by(DayFigures.network_id, DayFigures.site_id)
            .execution_options(populate_existing=True)
        )
    )


def _lacks(figures: Mapping[str, Any], stored: DayFigures) -> bool:
    """Each class of rows has its own term: refusals are gone long before sessions."""
    return bool(
        figures["sessions"] < stored.sessions
        or figures["bytes_down"] < stored.bytes_down
        or figures["outage_seconds"] < stored.outage_seconds
        or sum(figures["failures"].values()) < sum(stored.failures.values())
    )


def _first_day(db: Session, zones: Any) -> date | None:
    """The local day of the oldest thing that is known."""
    oldest = (
        db.scalar(select(func.min(column)))
        for column in (AccessSession.started_at, Decision.at, Outage.since)
    )
    known = [at for at in oldest if at is not None]
    return min(min(known).astimezone(ZoneInfo(zone)).date() for zone in zones) if known else None


def _is_open(db: Session, *, before: datetime) -> bool:
    """Whether a session is over by then whose books nobody has closed yet."""
    late = select(AccessSession.id).where(AccessSession.ended_at.is_(None), AccessSession.until < before)
    return db.scalars(late.limit(1)).first() is not None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


_days = table_of(FigureDay)
_CLAIM = for_either(
    lambda insert_: insert_(_days).on_conflict_do_nothing(index_elements=[_days.c.day]).returning(_days.c.day)
)
