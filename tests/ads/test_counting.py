"""What counts of an acceptance: caps to the one, and figures that add up to the ledger."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import counting, running
from ads.errors import SpentImpression
from ads.models import Campaign, CreativeDay, Impression
from ads.running import Progress
from db.engine import SessionMaker
from sessions.models import Lease
from tests.ads.campaigns import PARIS, accept, run_campaign
from tests.clock import NOON
from tests.town import build_town

DAY = timedelta(days=1)


def ledger(db: Session) -> tuple[int, int, int]:
    """Rows, of these counted, and the sum of the figures by day."""
    return (
        db.scalar(select(func.count(Impression.id))) or 0,
        db.scalar(select(func.count(Impression.id)).where(Impression.is_counted)) or 0,
        db.scalar(select(func.sum(CreativeDay.accepted))) or 0,
    )


@pytest.mark.parametrize(
    ("caps", "counted"),
    [({}, 7), ({"total_cap": 5}, 5), ({"daily_cap": 3}, 6), ({"daily_cap": 3, "total_cap": 4}, 4)],
)
def test_no_more_than_the_cap_are_counted_and_everybody_gets_on(
    db: Session, caps: dict[str, int], counted: int
) -> None:
    town = build_town(db)
    campaign = run_campaign(db, **caps)
    creative = campaign.creatives[0].id
    for number in range(4):
        accept(db, town.station, creative, number)
    for number in range(4, 7):
        accept(db, town.battant, creative, number, now=NOON + DAY)
    assert ledger(db) == (7, counted, counted)
    assert db.scalar(select(func.count(Lease.id))) == 7
    assert counting.counted(db, campaign.id) == counted
    db.refresh(campaign)
    assert campaign.claimed == (counted if caps else 0)


def test_a_day_is_one_of_the_site(db: Session) -> None:
    town = build_town(db)
    creative = run_campaign(db).creatives[0].id
    # Midnight in Paris is 23:00 UTC.
    for number, hour in enumerate((22, 23)):
        accept(db, town.station, creative, number, now=NOON.replace(hour=hour))
    assert [one.day.day for one in db.scalars(select(CreativeDay).order_by(CreativeDay.day))] == [24, 25]


def test_what_is_sent_twice_is_counted_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        creative = run_campaign(db, total_cap=5).creatives[0].id
        accept(db, town.station, creative, 1)
    with pytest.raises(SpentImpression), make_session.begin() as db:
        accept(db, town.station, creative, 1, now=NOON + timedelta(minutes=28))
    with make_session() as db:
        assert ledger(db) == (1, 1, 1)
        assert db.scalars(select(Campaign.claimed)).one() == 1


def test_where_nothing_was_shown_nothing_is_counted(db: Session) -> None:
    town = build_town(db)
    accept(db, town.station, None, 1)
    assert ledger(db) == (1, 1, 0)


def test_a_crowd_at_a_cap_is_counted_to_the_one(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        creative = run_campaign(db, daily_cap=5, total_cap=40).creatives[0].id
    barrier = threading.Barrier(12)

    def tap(number: int) -> None:
        barrier.wait()
        with make_session.begin() as db:
            accept(db, town.station if number % 2 else town.battant, creative, number)

    threads = [threading.Thread(target=tap, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert ledger(db) == (12, 5, 5)
        assert db.scalar(select(func.count(Lease.id))) == 12


def test_who_has_reached_a_goal_or_a_cap_is_spent(db: Session) -> None:
    town = build_town(db)
    reached, capped = run_campaign(db, "reached", goal=2), run_campaign(db, "capped", daily_cap=1)
    open_ended, far = run_campaign(db, "open", total_cap=9), run_campaign(db, "far", goal=9)
    for number, campaign in enumerate((reached, reached, capped, open_ended, far)):
        accept(db, town.station, campaign.creatives[0].id, number)
    found = running.progress(db, running.running(db, PARIS), day=NOON.date())
    assert found == Progress({far.id: 8}, frozenset({reached.id, capped.id}))
    tomorrow = running.progress(db, running.running(db, PARIS), day=(NOON + DAY).date())
    assert tomorrow.spent == {reached.id}
    [goal] = running.goals_of(running.running(db, PARIS), found)
    assert (goal.campaign_id, goal.missing, len(goal.candidates)) == (far.id, 8, 1)
