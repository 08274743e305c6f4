"""The hours of a school's wifi as its gateway is told them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from sites.schools import wifi
from sites.schools.models import TabletClass
from tests.sites.schools.cast import bring_inventory, build_schools, school

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 30, 7, tzinfo=PARIS)


def test_each_school_has_the_hours_of_its_rule(db: Session) -> None:
    build_schools(db)
    bring_inventory(db)
    now = MONDAY.astimezone(UTC)
    lesson = (MONDAY.replace(hour=8, minute=30), MONDAY.replace(hour=11, minute=30))
    by_classes = wifi.plan(db, school(db, "ecole-bregille"), now=now)
    assert by_classes is not None and by_classes.on[0] == lesson
    assert by_classes.until == (MONDAY.replace(hour=0) + timedelta(days=wifi.DAYS_AHEAD)).astimezone(UTC)
    by_hours = wifi.plan(db, school(db, "ecole-helvetie"), now=now)
    assert by_hours is not None and by_hours.on[0][0] == MONDAY.replace(hour=8)
    assert wifi.plan(db, school(db, "college-diderot"), now=now) is None


def test_the_button_of_a_trolley_switches_the_wifi_where_it_was_pressed(db: Session) -> None:
    build_schools(db)
    bring_inventory(db)
    now = MONDAY.astimezone(UTC)
    trolley = db.query(TabletClass).filter_by(slug="chariot-1").one()
    trolley.switched_on, trolley.switched_at, trolley.switched_until = True, now, now + timedelta(hours=1)
    trolley.switched_site_id = school(db, "ecole-bregille").id
    db.flush()
    found = wifi.plan(db, school(db, "ecole-bregille"), now=now)
    assert found is not None and found.on[0] == (now, now + timedelta(hours=1))
    trolley.retired = True
    db.flush()
    found = wifi.plan(db, school(db, "ecole-bregille"), now=now)
    assert found is not None and found.on == ()
