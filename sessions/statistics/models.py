"""The rows that remain: figures by local day, network and site, and what is known of unique devices."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, JsonObject


class FigureDay(Base):
    """A day whose figures are made: the claim that makes them once. `version` is that of the definitions."""

    __tablename__ = "figure_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    version: Mapped[str] = mapped_column(String(16))
    made_at: Mapped[datetime]
    # SHA-256 over all that is kept of the day, as it was made last; empty of days made before there was one.
    digest: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Unique devices of that day: everywhere, and by network id.
    devices: Mapped[int]
    devices_by_network: Mapped[dict[str, int]] = mapped_column(Json)


class DayFigures(Base):
    """One local day of one network at one site. Meanings: `sessions.statistics.definitions`."""

    __tablename__ = "day_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    # What was not measured but taken from the site's record then: a rebuild takes the same again.
    basis: Mapped[JsonObject]
    sessions: Mapped[int]
    # Of these: gone on from an earlier session of the same person, and from a device with a made-up address.
    reattached: Mapped[int]
    random_address: Mapped[int]
    visits: Mapped[int]
    devices: Mapped[int]
    connected_seconds: Mapped[int] = mapped_column(BigInteger)
    bytes_up: Mapped[int] = mapped_column(BigInteger)
    bytes_down: Mapped[int] = mapped_column(BigInteger)
    expected_seconds: Mapped[int]
    outage_seconds: Mapped[int]
    # {"free": 12}: sessions by the way they signed in; {"wrong_credentials": 3}: refusals by rule.
    methods: Mapped[dict[str, int]] = mapped_column(Json)
    failures: Mapped[dict[str, int]] = mapped_column(Json)
    # By hour of the wall clock, 24 numbers each.
    hour_sessions: Mapped[list[int]] = mapped_column(Json)
    hour_seconds: Mapped[list[int]] = mapped_column(Json)
    # At each full five minutes; by class of rate.
    at_once: Mapped[list[int]] = mapped_column(Json)
    rates: Mapped[list[int]] = mapped_column(Json)


class FigureSalt(Base):
    """The secret with which a month's devices are counted. Once the month is closed, `salt` is empty for ever."""

    __tablename__ = "figure_salts"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    destroyed_at: Mapped[datetime | None]


class DaySketch(Base):
    """The sketch of one day's devices at one site, until the month is closed."""

    __tablename__ = "day_sketches"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    sketch: Mapped[bytes] = mapped_column(LargeBinary)


class MonthSketch(Base):
    """The sketch of a closed month's devices at one site, and how many they are about."""

    __tablename__ = "month_sketches"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    devices: Mapped[int]
    sketch: Mapped[bytes] = mapped_column(LargeBinary)


class ComputedReport(Base):
    """The numbers of a report, kept until what they were computed from changes: `sessions.statistics.cache`."""

    __tablename__ = "computed_reports"

    question: Mapped[str] = mapped_column(String(64), primary_key=True)
    basis: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime]
    numbers: Mapped[bytes] = mapped_column(LargeBinary)
