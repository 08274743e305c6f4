"""A simulated week: every count is explained, and the bill comes out of the ledger to the cent."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads.ledger import bills, figures, served, settlement
from ads.ledger.figures import CampaignFigures
from ads.ledger.models import CampaignReach
from ads.models import Advertiser, Campaign, Impression
from db.engine import SessionMaker
from sessions.models import AccessSession, Lease
from sessions.statistics import months
from sessions.statistics.calendar import days_between, first_of_month
from sessions.statistics.models import FigureDay
from sites.models import Gateway
from tests.actors import person
from tests.ads.accepting import accept_until_killed
from tests.ads.campaigns import PARIS, make_advertiser, run_campaign
from tests.ads.week import Week
from tests.clock import NOON
from tests.town import build_town

# Midnight in Paris, at the beginning of a week that ends in the next month.
MONDAY = datetime(2026, 10, 25, 23, tzinfo=UTC)
OCTOBER = date(2026, 10, 1)


def make_week(make_session: SessionMaker, *, seed: int = 1) -> Week:
    with make_session.begin() as db:
        town = build_town(db)
        payer = make_advertiser(db)
        paid = run_campaign(db, "paid", messages=2, advertiser=payer, price_cents=1275, now=MONDAY)
        capped = run_campaign(db, "capped", advertiser=payer, price_cents=999, daily_cap=6, now=MONDAY)
        creatives = [one.id for campaign in (paid, capped) for one in campaign.creatives]
        gateways = [
            db.scalars(select(Gateway).where(Gateway.identity == one.identity)).one()
            for one in (town.station, town.battant)
        ]
        for gateway in gateways:
            assert gateway.site.zone
            assert gateway.network.slug
    return Week(make_session, gateways, creatives, seed=seed)


def settle(make_session: SessionMaker, first: date, last: date, *, now: datetime) -> None:
    """What the sweep does with each day once it is final."""
    for day in days_between(first, last):
        with make_session.begin() as db:
            while served.add_up(db, now=now):
                pass
            months.make_salt(db, first_of_month(day))
            fates = settlement.fates(db, day, now=now)
            reached = settlement.reached(db, day, salt=months.salt_of(db, first_of_month(day)))
            settlement.store(db, day, fates, reached)
            db.add(FigureDay(day=day, version="1", made_at=now, devices=0, devices_by_network={}))


def read(db: Session, *, now: datetime) -> list[CampaignFigures]:
    found = [figures.load(db, one, now=now) for one in db.scalars(select(Campaign).order_by(Campaign.slug))]
    assert all(one.whole.is_explained for one in found)
    for one in found:
        for parts in (one.by_day, one.by_month, one.by_site, one.by_creative):
            assert all(own.is_explained for own in parts.values())
            assert sum(own.served for own in parts.values()) == one.whole.served
            assert sum(own.accepted for own in parts.values()) == one.whole.accepted
    return found


def assert_explained(week: Week, db: Session, *, now: datetime) -> list[CampaignFigures]:
    """The figures are what happened, and the ledger's rows: one acceptance, one lease."""
    found = read(db, now=now)
    told = {
        name: sum(getattr(one.whole, name) for one in found)
        for name in ("served", "viewed", "leases", "blocked", "reported")
    }
    assert told == week.expected()
    rows, leases = db.execute(
        select(func.count(Impression.id), func.count(func.distinct(Impression.lease_id)))
    ).one()
    confirmed = db.scalar(select(func.count(Lease.id)).where(Lease.confirmed_at.is_not(None)))
    assert rows == leases == db.scalar(select(func.count(Lease.id))) == told["leases"]
    assert sum(one.whole.confirmed for one in found) == confirmed
    return found


def run_week(make_session: SessionMaker, *, days: int, visits: int, seed: int = 1) -> None:
    week = make_week(make_session, seed=seed)
    week.run(MONDAY, days=days, visits=visits)
    # What a real week has is there: without these the test would say nothing.
    for what in ("accepted", "viewed", "blocked", "lost", "SpentImpression", "Killed"):
        assert week.known[what], what
    evening = MONDAY + timedelta(days=days)
    with make_session() as db:
        assert_explained(week, db, now=evening)
    now = datetime(2026, 12, 3, 12, tzinfo=UTC)
    settle(make_session, date(2026, 10, 26), date(2026, 11, 30), now=now)
    with make_session() as db:
        found = assert_explained(week, db, now=now)
        capped, paid = found
        assert capped.whole.over_cap > 0 == paid.whole.over_cap
        failures = capped.whole.failures + paid.whole.failures
        assert failures["refused"]
        assert failures["unheard"] + failures["ended"]
        assert not failures["waiting"]
        devices = db.scalar(select(func.count(func.distinct(AccessSession.mac)))) or 0
        most = max(db.scalars(select(CampaignReach.devices)))
        assert 0 < most <= devices * 1.05
    billed = 0
    for month in (OCTOBER, date(2026, 11, 1)):
        with make_session.begin() as db:
            payer = db.scalars(select(Advertiser)).one()
            if month != OCTOBER and days < 7:
                continue
            bill = bills.issue(db, payer, month, actor=person("ada"), zone=PARIS, now=now)
            assert bills.rebuilt(db, bill) == bills.lines_of(bill)
            assert bill.total_cents == sum(line.cents for line in bills.lines_of(bill))
            billed += bill.total_cents
    assert billed == sum(one.total_cents or 0 for one in found)
    assert billed > 0


def test_two_days_leave_every_count_explained(make_session: SessionMaker) -> None:
    run_week(make_session, days=2, visits=150)


@pytest.mark.release
def test_a_week_leaves_every_count_explained(make_session: SessionMaker) -> None:
    run_week(make_session, days=7, visits=250, seed=2)


def test_processes_killed_in_the_middle_leave_every_count_explained(
    make_session: SessionMaker, database_url: str
) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        campaign = run_campaign(db, "killed", daily_cap=25, total_cap=1000)
        creative_id, identities = campaign.creatives[0].id, (town.station.identity, town.battant.identity)
    spawned = multiprocessing.get_context("spawn")
    committed: set[int] = set()
    for round_, identity in enumerate(identities):
        here, there = spawned.Pipe(duplex=False)
        arguments = (database_url, identity, creative_id, 1000 * round_, there)
        process = spawned.Process(target=accept_until_killed, args=arguments)
        process.start()
        there.close()
        committed |= {here.recv() for _ in range(20)}
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        # What it had told before it was killed. Half of a last word may be there.
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                committed.add(here.recv())
    later = NOON + timedelta(hours=3)
    with make_session.begin() as db:
        while served.add_up(db, now=later):
            pass
    with make_session() as db:
        [found] = read(db, now=later)
        nonces = {int(nonce[1:]) for nonce in db.scalars(select(Impression.nonce))}
        # The last one of each may have been committed and not told.
        assert committed <= nonces
        assert len(nonces - committed) <= len(identities)
        assert found.whole.leases == len(nonces) == db.scalar(select(func.count(Lease.id)))
        assert found.whole.accepted == 25 == db.scalars(select(Campaign.claimed)).one()
        assert found.whole.served - found.whole.leases <= len(identities)
