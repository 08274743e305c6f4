"""The figures of all rooms, made together: a day in one transaction, a month closed when its days are there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from ads import statistics as ads
from ads.ledger import served, settlement
from db import secure_erase
from db.engine import reading
from portal.services import Services
from sessions.statistics import building, months
from sessions.statistics.calendar import first_of_month
from sessions.statistics.models import FigureSalt


@dataclass(frozen=True, slots=True)
class Recalculation:
    """What came of making the figures of a day again."""

    day: date
    is_same: bool


def make_next(service: Services) -> date | None:
    """Make the figures of the next day that is due, and close the months that are done; the day, or None.

    What was served is added up before: a day is due long after its last tickets have expired.

    The work is done in a read-only session, so that writers wait for the last step alone. Two at once make one day.
    """
    add_up_served(service)
    with reading(service.make_session) as db:
        day = building.due(db, now=service.clock())
    if day is not None:
        _make(service, day)
    _close_months(service)
    return day


def rebuild(service: Services, day: date, *, devices: bool) -> Recalculation:
    """Make the figures of a day again from its rows, and put them in the place of the old ones.

    Raises `building.MissingRows` and `months.DestroyedSalt`; nothing has changed then.
    """
    with service.make_session.begin() as db:
        before = canonical(db, day)
        accepted = ads.make(db, day)
        if sum(accepted.values()) < sum(ads.read(db, day, day).values()):
            raise building.MissingRows(day)
        building.replace(db, building.rebuild(db, day, devices=devices))
        ads.store(db, day, accepted)
        db.flush()
        return Recalculation(day, canonical(db, day) == before)


def canonical(db: Session, day: date) -> bytes:
    """All figures of a day: equal figures give equal bytes."""
    return building.canonical(db, day) + ads.canonical(db, day)


def _make(service: Services, day: date) -> None:
    with service.make_session.begin() as db:
        months.make_salt(db, first_of_month(day))
    try:
        with reading(service.make_session) as db:
            made, accepted = building.make(db, day), ads.make(db, day)
            fates = settlement.fates(db, day, now=service.clock())
            reached = settlement.reached(db, day, salt=months.salt_of(db, first_of_month(day)))
    except months.DestroyedSalt:
        # Another process has made this day meanwhile, and all others of its month.
        if _is_made(service, day):
            return
        raise
    with service.make_session.begin() as db:
        if building.store(db, made, now=service.clock()):
            ads.store(db, day, accepted)
            settlement.store(db, day, fates, reached)


def _is_made(service: Services, day: date) -> bool:
    with reading(service.make_session) as db:
        return bool(building.made_days(db, first=day, last=day))


def add_up_served(service: Services) -> None:
    """Count the messages that were served hours ago."""
    is_more = True
    while is_more:
        with service.make_session.begin() as db:
            is_more = served.add_up(db, now=service.clock()) > 0


def _close_months(service: Services) -> None:
    while True:
        with service.make_session.begin() as db:
            month = months.due(db)
            if month is None:
                return
            months.close(db, month, now=service.clock())
            settlement.forget_sketches(db, month)
        secure_erase.settle(service.engine, FigureSalt.__tablename__)
