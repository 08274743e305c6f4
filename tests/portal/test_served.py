"""Messages that pages had: written down together, beside the pages, and lost with no more than the last seconds."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from ads.demo import load_announcements
from ads.ledger import served
from ads.ledger.models import ServedImpression
from ads.models import CreativeDay
from portal.services import Services
from sites.models import Site
from tests.clock import NOON, MovingClock
from tests.portal.conftest import Phone
from tests.town import Town


@pytest.fixture(autouse=True)
def announcements(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        load_announcements(db, now=NOON)


def rows(db: Session) -> list[ServedImpression]:
    db.rollback()
    return list(db.scalars(select(ServedImpression).order_by(ServedImpression.shown_at)))


def test_a_message_on_a_page_is_served_and_not_viewed(
    phone: Phone, services: Services, db: Session, clock: MovingClock
) -> None:
    """Once in each break, however often its page is loaded."""
    phone.land()
    phone.land()
    clock.advance(minutes=31)
    phone.land()
    services.served.write()
    found = rows(db)
    assert len(found) == len({one.nonce for one in found}) == 2
    assert not any(one.viewed or one.blocked or one.reported for one in found)


def test_where_nothing_is_shown_nothing_is_served(
    phone: Phone, services: Services, db: Session, town: Town
) -> None:
    with services.make_session.begin() as change:
        change.merge(town.station.site).ads_allowed = False
    services.places.forget()
    phone.land()
    services.served.write()
    assert rows(db) == []


def test_a_process_that_is_killed_before_it_wrote_loses_no_acceptance(
    phone: Phone, services: Services, clock: MovingClock, db: Session
) -> None:
    phone.land()
    services.served._waiting.clear()
    clock.advance(seconds=6)
    assert phone.press("/pause").status_code == 303
    clock.advance(hours=3)
    with services.make_session.begin() as change:
        served.add_up(change, now=services.clock())
    row = db.scalars(select(CreativeDay)).one()
    assert (row.served, row.viewed, row.accepted) == (1, 1, 1)


def test_what_cannot_be_written_waits(phone: Phone, services: Services, db: Session) -> None:
    # It was never written before.
    services.served._written_at = float("inf")
    phone.land()
    with services.make_session() as other:
        # Another writer has the table, or with SQLite the whole database, for itself.
        is_sqlite = db.get_bind().dialect.name == "sqlite"
        other.execute(
            update(Site).values(note="kept") if is_sqlite else text("LOCK TABLE served_impressions")
        )
        services.served.write()
        other.rollback()
    assert rows(db) == []
    services.served.write()
    assert len(rows(db)) == 1


def test_what_waited_for_hours_is_left_out(
    phone: Phone, services: Services, clock: MovingClock, db: Session
) -> None:
    # It was never written before.
    services.served._written_at = float("inf")
    phone.land()
    clock.advance(hours=2)
    services.served.write()
    assert rows(db) == []


def tell(phone: Phone, *what: str, ticket: str | None = None) -> None:
    """As the script does, from the page that is open."""
    told = {"ticket": ticket or phone.form("/pause")["ticket"], **dict.fromkeys(what, "1")}
    page = phone.page
    assert phone.post("/pause/seen", **told).status_code == 204
    phone.page = page


def test_a_message_is_viewed_once_its_least_time_is_over(
    phone: Phone, services: Services, clock: MovingClock, db: Session
) -> None:
    phone.land()
    tell(phone, "viewed")
    services.served.write()
    assert [one.viewed for one in rows(db)] == [False]
    clock.advance(seconds=5)
    for _ in range(3):
        tell(phone, "viewed")
    services.served.write()
    assert [(one.viewed, one.blocked) for one in rows(db)] == [(True, False)]


def test_a_picture_that_failed_is_told_at_once(phone: Phone, services: Services, db: Session) -> None:
    phone.land()
    tell(phone, "viewed", "blocked")
    services.served.write()
    assert [(one.viewed, one.blocked) for one in rows(db)] == [(False, True)]


def test_only_what_a_page_had_can_be_told_of(
    phone: Phone, services: Services, clock: MovingClock, db: Session
) -> None:
    phone.land()
    ticket = phone.form("/pause")["ticket"]
    services.served.write()
    for made_up in ("", "x", ticket[:-3] + "AAA"):
        tell(phone, "viewed", "blocked", ticket=made_up or "-")
    clock.advance(minutes=31)
    tell(phone, "viewed", ticket=ticket)
    services.served.write()
    assert [(one.viewed, one.blocked) for one in rows(db)] == [(False, False)]
