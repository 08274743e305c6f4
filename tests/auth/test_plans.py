"""When a pass ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.vouchers import plans
from auth.vouchers.errors import UnknownPlan
from auth.vouchers.models import Plan, PlanKind
from sites import opening_hours as hours

PARIS = ZoneInfo("Europe/Paris")
WEEKDAYS = "Mo-Fr 09:00-18:30"


def make_plan(kind: PlanKind = PlanKind.UNTIL_MIDNIGHT, **fields: Any) -> Plan:
    values: dict[str, Any] = {
        "slug": "tested",
        "names": {"fr": "Essai"},
        "kind": kind,
        "length_minutes": 0,
        "grace_minutes": 0,
        "least_minutes": 0,
        "ends_at": None,
        "devices": 1,
        "networks": [],
        "sites": [],
    }
    return Plan(**{**values, **fields})


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def until(plan: Plan, at: str, opening_hours: str = WEEKDAYS) -> datetime:
    return plans.until(plan, now=local(at), zone=PARIS, hours=hours.parse(opening_hours))


@pytest.mark.parametrize(
    ("day", "length"),
    [("2027-03-28", 23), ("2026-10-25", 25), ("2026-11-24", 24)],
    ids=["23 h", "25 h", "24 h"],
)
def test_a_day_pass_ends_at_the_next_local_midnight(day: str, length: int) -> None:
    """Computed in the zone: the days on which clocks change have 23 and 25 hours."""
    end = until(make_plan(), f"{day} 00:00")
    assert end - local(f"{day} 00:00") == timedelta(hours=length)
    assert end.astimezone(PARIS).strftime("%H:%M") == "00:00"
    assert until(make_plan(), f"{day} 22:59") == end


def test_a_pass_of_24_hours_lasts_24_real_hours_over_a_change_of_clocks() -> None:
    plan = make_plan(PlanKind.ROLLING_HOURS, length_minutes=24 * 60)
    noon = datetime(2027, 3, 27, 12, tzinfo=PARIS)
    end = plans.until(plan, now=noon, zone=PARIS, hours=hours.parse(WEEKDAYS))
    assert end - noon.astimezone(UTC) == timedelta(hours=24)
    assert end.astimezone(PARIS).strftime("%H:%M") == "13:00"


def test_fixed_minutes_run_from_the_first_use() -> None:
    plan = make_plan(PlanKind.FIXED_MINUTES, length_minutes=90)
    assert until(plan, "2026-11-24 23:30") == local("2026-11-25 01:00")


@pytest.mark.parametrize(
    ("at", "opening_hours", "end"),
    [
        ("2026-11-24 10:00", WEEKDAYS, "2026-11-24 18:45"),
        ("2026-11-24 08:50", WEEKDAYS, "2026-11-24 18:45"),
        ("2026-11-24 19:00", WEEKDAYS, "2026-11-25 00:15"),
        ("2026-11-28 10:00", WEEKDAYS, "2026-11-29 00:15"),
        ("2026-11-24 10:00", "24/7", "2026-11-25 00:15"),
        ("2026-11-24 23:00", "Mo-Su 18:00-02:00", "2026-11-25 02:15"),
    ],
    ids=["open", "before opening", "after closing", "closed all day", "never closes", "past midnight"],
)
def test_until_closing_is_the_closing_and_a_grace(at: str, opening_hours: str, end: str) -> None:
    plan = make_plan(PlanKind.UNTIL_CLOSING, grace_minutes=15)
    assert until(plan, at, opening_hours) == local(end)


@pytest.mark.parametrize("kind", [PlanKind.UNTIL_MIDNIGHT, PlanKind.UNTIL_CLOSING])
def test_a_pass_first_used_late_lasts_its_least_duration(kind: PlanKind) -> None:
    plan = make_plan(kind, least_minutes=120)
    assert until(plan, "2026-11-24 23:30") == local("2026-11-25 01:30")


def test_a_least_duration_takes_nothing_from_a_pass_used_early() -> None:
    assert until(make_plan(least_minutes=120), "2026-11-24 21:59") == local("2026-11-25 00:00")


@pytest.mark.parametrize("kind", list(PlanKind))
def test_the_calendar_end_stands_above_all(kind: PlanKind) -> None:
    end = local("2026-11-24 12:00")
    plan = make_plan(kind, length_minutes=24 * 60, least_minutes=600, ends_at=end)
    assert until(plan, "2026-11-24 11:00") == end


def test_ends_are_in_utc() -> None:
    for kind in PlanKind:
        assert until(make_plan(kind, length_minutes=1), "2026-07-01 12:00").tzinfo is UTC


@pytest.mark.parametrize(
    ("networks", "sites", "holds"),
    [
        ([], [], True),
        (["bibliotheques"], [], True),
        (["wifilib"], [], False),
        ([], ["pierre-bayle", "x"], True),
        ([], ["battant"], False),
        (["bibliotheques"], ["battant"], False),
    ],
)
def test_a_plan_holds_where_it_says_and_everywhere_when_it_says_nothing(
    networks: list[str], sites: list[str], holds: bool
) -> None:
    plan = make_plan(networks=networks, sites=sites)
    assert plans.holds(plan, network="bibliotheques", site="pierre-bayle") is holds


def test_a_town_begins_with_four_plans_and_keeps_its_own(db: Session) -> None:
    assert plans.add_first_plans(db) == 4
    assert plans.add_first_plans(db) == 0
    assert [plan.slug for plan in plans.every(db)] == ["day", "24h", "closing", "2h"]
    assert plans.by_slug(db, "day").least_minutes == 120
    with pytest.raises(UnknownPlan):
        plans.by_slug(db, "week")


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": PlanKind.FIXED_MINUTES},
        {"devices": 0},
        {"least_minutes": -1},
        {"rate_down_kbps": -1},
    ],
    ids=str,
)
def test_the_table_refuses_a_plan_without_sense(db: Session, fields: dict[str, Any]) -> None:
    db.add(make_plan(**{"kind": PlanKind.UNTIL_MIDNIGHT, **fields}))
    with pytest.raises(IntegrityError):
        db.flush()
