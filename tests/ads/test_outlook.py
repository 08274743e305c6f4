"""What may be expected of a campaign, what came of it, and who is shown when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from ads import calendar, campaigns, outlook, places, results
from ads.models import Category, CreativeDay, Election
from sessions.statistics.models import DayFigures
from tests.ads.campaigns import AUTHOR, PARIS, make_draft, run_campaign
from tests.clock import NOON
from tests.town import Town, build_town

# Monday to Sunday, seven days of the town.
FIRST, AFTER = datetime(2026, 11, 29, 23, tzinfo=UTC), datetime(2026, 12, 6, 23, tzinfo=UTC)


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def add_figures(db: Session, town: Town, hour: int, sessions: int) -> None:
    """Four weeks of these sessions a day, in this hour alone, at the station."""
    for number in range(1, 29):
        hours = [sessions if one == hour else 0 for one in range(24)]
        zeros = dict.fromkeys(
            (
                *("reattached", "random_address", "visits", "devices", "connected_seconds", "bytes_up"),
                *("bytes_down", "expected_seconds", "outage_seconds"),
            ),
            0,
        )
        db.add(
            DayFigures(
                day=NOON.date() - timedelta(days=number),
                network_id=town.free.id,
                site_id=town.station.site_id,
                basis={},
                sessions=sessions,
                methods={},
                failures={},
                hour_sessions=hours,
                hour_seconds=[0] * 24,
                at_once=[],
                rates={},
                **zeros,
            )
        )
    db.flush()


def test_the_outlook_is_what_the_places_had_in_four_weeks(db: Session, town: Town) -> None:
    add_figures(db, town, 8, 40)
    fields = {"starts_at": FIRST, "ends_at": AFTER, "hours": "Mo-Su 08:00-08:30", "sites": ["gare-viotte"]}
    found = outlook.of_campaign(db, make_draft(db, goal=100, **fields), zone=PARIS, now=NOON)
    assert found is not None
    assert (found.first, found.last, found.days) == (date(2026, 11, 30), date(2026, 12, 6), 7)
    assert (round(found.a_day), round(found.breaks), found.short) == (20, 140, 0)
    assert [(one.site, one.network) for one in found.places] == [("gare-viotte", town.free.slug)]
    more = outlook.of_campaign(db, make_draft(db, "cake", goal=200, **fields), zone=PARIS, now=NOON)
    assert more is not None and more.short == 60


def test_what_runs_leaves_less_of_a_goal(db: Session, town: Town) -> None:
    add_figures(db, town, 8, 40)
    fields = {"starts_at": FIRST, "ends_at": AFTER, "hours": "Mo-Su 08:00-09:00", "sites": ["gare-viotte"]}
    run_campaign(db, "other", goal=260, **fields)
    found = outlook.of_campaign(db, make_draft(db, goal=100, **fields), zone=PARIS, now=NOON)
    assert found is not None and 80 <= found.short <= 100
    assert calendar.conflicts(db, zone=PARIS, now=NOON) == []
    run_campaign(db, "bread-2", goal=100, **fields)
    (conflict,) = calendar.conflicts(db, zone=PARIS, now=NOON)
    assert 80 <= conflict[1] <= 100


def test_a_term_that_is_over_has_no_outlook(db: Session, town: Town) -> None:
    campaign = make_draft(db, ends_at=NOON - timedelta(days=1))
    assert outlook.of_campaign(db, campaign, zone=PARIS, now=NOON) is None


def test_results_have_every_day_and_what_an_even_pace_would_have(db: Session, town: Town) -> None:
    begins, ends = NOON - timedelta(days=5), NOON + timedelta(days=5)
    campaign = run_campaign(db, goal=100, starts_at=begins, ends_at=ends)
    for day, accepted in ((20, 7), (22, 5)):
        for gateway in (town.station, town.battant):
            row = CreativeDay(day=date(2026, 11, day), served=9, viewed=8, accepted=accepted, reported=1)
            row.creative_id, row.network_id, row.site_id = (
                campaign.creatives[0].id,
                town.free.id,
                gateway.site_id,
            )
            db.add(row)
    db.flush()
    found = results.of_campaign(db, campaign, now=NOON)
    assert [(one.day.day, one.served, one.accepted) for one in found.days] == [
        (20, 18, 14),
        (21, 0, 0),
        (22, 18, 10),
    ]
    assert (found.accepted, found.due) == (24, 50)
    assert [(one.blocked, one.reported) for one in found.days] == [(0, 2), (0, 0), (0, 2)]


def test_the_calendar_tells_who_is_shown_and_when_nobody_is(db: Session, town: Town) -> None:
    run_campaign(db, hours="Mo-Fr 07:00-11:00", starts_at=FIRST)
    run_campaign(db, "vote", hours="10:00-12:00", category=Category.TOWN_RECORD)
    make_draft(db, "draft")
    make_draft(db, "asked", sites=["gare-viotte"])
    campaigns.propose(db, "asked", actor=AUTHOR, now=NOON)
    run_campaign(db, "elsewhere", sites=["battant"])
    election = Election(name="e", first_round=date(2027, 6, 6), last_round=date(2027, 6, 6))
    campaigns.note_election(db, election, actor=AUTHOR, now=NOON)
    (place,) = [one for one in places.every(db) if one.site.slug == "gare-viotte"]
    strips = calendar.of_place(db, place, days=9, town_zone=PARIS, now=NOON)
    told = {
        strip.day.day: [(one.slug, [_clock(span) for span in spans]) for one, spans in strip.shown]
        for strip in strips
    }
    whole = ("asked", ["00-00"])
    assert told[24] == [("vote", ["10-12"]), whole]
    assert told[30] == [("bread", ["07-11"]), ("vote", ["10-12"]), whole]
    # From the sixth month before the election on it is not shown.
    assert told[1] == [("bread", ["07-11"]), whole]
    gaps = {strip.day.day: [_clock(span) for span in strip.gaps] for strip in strips}
    assert gaps[24] == ["00-10", "12-00"]
    assert gaps[30] == ["00-07", "12-00"]


def _clock(span: calendar.Span) -> str:
    return "-".join(f"{at.astimezone(PARIS):%H}" for at in span)
