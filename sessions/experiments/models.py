"""The rows of an experiment. Indicators keep what was agreed; amendments and reviews are only ever added."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Double, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.audit.append_only import never_changed, run_after_create
from db.base import Base, Json, Key
from sessions.experiments.indicators import Measure
from sessions.statistics.periods import Period


class Experiment(Base):
    """What the town tries, from `first` to `last`, both included; `networks` are slugs, none for all of them."""

    __tablename__ = "experiments"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    aim: Mapped[str] = mapped_column(Text)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    networks: Mapped[list[str]] = mapped_column(Json)
    written_at: Mapped[datetime]
    written_by: Mapped[str] = mapped_column(String(120))

    indicators: Mapped[list[Indicator]] = relationship(order_by="Indicator.id", cascade="all, delete-orphan")
    amendments: Mapped[list[Amendment]] = relationship(order_by="Amendment.id", viewonly=True)
    reviews: Mapped[list[Review]] = relationship(order_by="Review.id", viewonly=True)

    @property
    def period(self) -> Period:
        return Period(self.first, self.last)

    def threshold_of(self, indicator: Indicator) -> float:
        """What holds now: as agreed, or as amended last."""
        amended = [one.after for one in self.amendments if one.measure == indicator.measure]
        return amended[-1] if amended else indicator.threshold


class Indicator(Base):
    """A measure and the threshold that was agreed before the experiment ran."""

    __tablename__ = "experiment_indicators"
    __table_args__ = (UniqueConstraint("experiment_id", "measure"),)

    id: Mapped[Key]
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"))
    measure: Mapped[str] = mapped_column(String(32))
    threshold: Mapped[float] = mapped_column(Double)

    @property
    def kind(self) -> Measure:
        return Measure(self.measure)


class Amendment(Base):
    """A threshold that was changed while the experiment ran: by whom, when and why."""

    __tablename__ = "experiment_amendments"

    id: Mapped[Key]
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)
    measure: Mapped[str] = mapped_column(String(32))
    before: Mapped[float] = mapped_column(Double)
    after: Mapped[float] = mapped_column(Double)
    reason: Mapped[str] = mapped_column(Text)
    amended_at: Mapped[datetime]
    amended_by: Mapped[str] = mapped_column(String(120))


class Review(Base):
    """What was said of the experiment on a day, with the figures as they stood: by measure, None where unknown."""

    __tablename__ = "experiment_reviews"

    id: Mapped[Key]
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)
    held_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, float | None]] = mapped_column(Json)
    written_at: Mapped[datetime]
    written_by: Mapped[str] = mapped_column(String(120))


APPEND_ONLY = {
    dialect: (
        *never_changed(Amendment.__tablename__)[dialect],
        *never_changed(Review.__tablename__)[dialect],
    )
    for dialect in ("sqlite", "postgresql")
}
for _model in (Amendment, Review):
    run_after_create(_model, never_changed(_model.__tablename__))
