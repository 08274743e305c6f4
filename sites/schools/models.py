"""The rows of schools: what is known of a school's line, its classes of tablets, where each class may be on."""

from __future__ import annotations

import enum
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, Key, Mac, Slug, word
from sites.models import Network, Site
from sites.schools.timetable import Press, Stop, WifiRule


class Stage(enum.StrEnum):
    """What is taught there. The first three are primary schools to the law (Code de l'éducation, L321-1)."""

    NURSERY = "nursery"
    ELEMENTARY = "elementary"
    PRIMARY = "primary"
    SECONDARY = "secondary"

    @property
    def is_primary(self) -> bool:
        return self is not Stage.SECONDARY


class LineMedium(enum.StrEnum):
    FIBRE = "fibre"
    ADSL = "adsl"
    MOBILE = "mobile"
    NONE = "none"


class TabletState(enum.StrEnum):
    IN_USE = "in_use"
    REPAIR = "repair"
    LOST = "lost"
    RETIRED = "retired"


class SchoolLine(Base):
    """What makes a site of kind school a school: its stage, its line, its resolver, when its wifi is on.

    Rates are what the line brings, in kbit/s; 0 where nobody has measured. `resolver` is the address that answers DNS
    for the tablets kept there; nothing else may.
    """

    __tablename__ = "school_lines"
    __table_args__ = (CheckConstraint("line_down_kbps >= 0 AND line_up_kbps >= 0", name="rates"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    stage: Mapped[Stage] = mapped_column(word(Stage))
    medium: Mapped[LineMedium] = mapped_column(word(LineMedium))
    line_down_kbps: Mapped[int] = mapped_column(default=0)
    line_up_kbps: Mapped[int] = mapped_column(default=0)
    # The day of the next works on the line, where one is planned.
    works_on: Mapped[date | None] = mapped_column(Date)
    resolver: Mapped[str] = mapped_column(String(45), default="")
    wifi: Mapped[WifiRule] = mapped_column(word(WifiRule))
    # For `WifiRule.HOURS`: opening hours in which the wifi is on.
    wifi_hours: Mapped[str] = mapped_column(String(300), default="")

    site: Mapped[Site] = relationship()


class TabletClass(Base):
    """A class of tablets: a mobile class that stays in one school, or a trolley that goes from one to the next.

    `switched_…` is what somebody pressed last: on or off, when, until when, at which school, and who (name).
    """

    __tablename__ = "tablet_classes"
    __table_args__ = (CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name="rates"),)

    id: Mapped[Key]
    slug: Mapped[Slug]
    name: Mapped[str] = mapped_column(String(120))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    rate_down_kbps: Mapped[int | None]
    rate_up_kbps: Mapped[int | None]
    retired: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")
    switched_on: Mapped[bool | None]
    switched_at: Mapped[datetime | None]
    switched_until: Mapped[datetime | None]
    switched_by: Mapped[str] = mapped_column(String(120), default="")
    switched_site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))

    network: Mapped[Network] = relationship()
    stops: Mapped[list[ClassStop]] = relationship(
        order_by="ClassStop.position", cascade="all, delete-orphan", back_populates="tablet_class"
    )
    tablets: Mapped[list[Tablet]] = relationship(order_by="Tablet.slug", back_populates="tablet_class")

    @property
    def press(self) -> Press | None:
        if self.switched_on is None or self.switched_at is None or self.switched_until is None:
            return None
        return Press(
            self.switched_on,
            self.switched_at,
            self.switched_until,
            self.switched_by,
            next((stop.site.slug for stop in self.stops if stop.site_id == self.switched_site_id), ""),
        )

    @property
    def timetable(self) -> tuple[Stop, ...]:
        return tuple(stop.stop for stop in self.stops)


class ClassStop(Base):
    """A school where a class may be on, and the lessons at which it is on there by itself."""

    __tablename__ = "class_stops"

    class_id: Mapped[int] = mapped_column(
        ForeignKey("tablet_classes.id", ondelete="CASCADE"), primary_key=True
    )
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)
    # The first is where the class is kept.
    position: Mapped[int]
    # Opening hours; empty where only the button switches it on.
    lessons: Mapped[str] = mapped_column(String(300), default="")

    tablet_class: Mapped[TabletClass] = relationship(back_populates="stops")
    site: Mapped[Site] = relationship()

    @property
    def stop(self) -> Stop:
        return Stop.read(self.site.slug, self.lessons, self.site.school_zone, self.site.tzinfo)


class Tablet(Base):
    """One tablet. `slug` is its number in the inventory."""

    __tablename__ = "tablets"

    id: Mapped[Key]
    slug: Mapped[Slug]
    class_id: Mapped[int] = mapped_column(ForeignKey("tablet_classes.id"), index=True)
    mac: Mapped[Mac] = mapped_column(unique=True)
    serial: Mapped[str] = mapped_column(String(60), default="")
    model: Mapped[str] = mapped_column(String(80), default="")
    bought_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[TabletState] = mapped_column(word(TabletState), default=TabletState.IN_USE)
    note: Mapped[str] = mapped_column(Text, default="")

    tablet_class: Mapped[TabletClass] = relationship(back_populates="tablets")
