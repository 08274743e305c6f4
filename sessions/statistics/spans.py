"""What of a period has its figures, the equal stretches that it is compared with, and the definitions of their days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from sessions.statistics.models import FigureDay
from sessions.statistics.periods import Period


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch that a period is compared with; `made` of its days have their figures."""

    period: Period
    made: int

    @property
    def is_made(self) -> bool:
        return self.made == self.period.days


@dataclass(frozen=True, slots=True)
class Spans:
    """`known` is what of a period has its figures; `before` and `year_before` are what it is compared with."""

    known: Period
    made: int
    before: Stretch
    year_before: Stretch

    @property
    def everything(self) -> list[Period]:
        """The stretches, each once: of a year, the one before is that of the year before."""
        return list(dict.fromkeys((self.known, self.before.period, self.year_before.period)))


@dataclass(frozen=True, slots=True)
class UsedDefinitions:
    """How many days of a report, from which to which, were counted by a version of the definitions."""

    version: str
    first: date
    last: date
    days: int


def spans_of(db: Session, period: Period) -> Spans:
    """The days of this period that have their figures, and those that they are compared with."""
    first, last, made = db.execute(
        select(func.min(FigureDay.day), func.max(FigureDay.day), func.count()).where(
            FigureDay.day.between(period.first, period.last)
        )
    ).one()
    known = Period(first, last) if made else period
    return Spans(
        known, made, _stretch(db, period.before(known)), _stretch(db, known.year_before(within=period))
    )


def used_definitions(db: Session, spans: Spans) -> list[UsedDefinitions]:
    """The definitions behind these stretches, the oldest first."""
    within = or_(*(FigureDay.day.between(one.first, one.last) for one in spans.everything))
    rows = db.execute(
        select(FigureDay.version, func.min(FigureDay.day), func.max(FigureDay.day), func.count())
        .where(within)
        .group_by(FigureDay.version)
        .order_by(FigureDay.version)
    )
    return [UsedDefinitions(*row) for row in rows]


def _stretch(db: Session, period: Period) -> Stretch:
    made = select(func.count()).select_from(FigureDay)
    return Stretch(period, db.scalar(made.where(FigureDay.day.between(period.first, period.last))) or 0)
