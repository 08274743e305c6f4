"""The numbers of a report: added up, counted apart, compared, and not shown where they are small."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from sessions.statistics import building, months, report
from sessions.statistics.calendar import days_between, next_month
from sessions.statistics.models import DayFigures
from sessions.statistics.periods import Period
from sessions.statistics.report import Report
from sessions.statistics.suppression import Disclosure
from tests.sessions.statistics.rows import add_refusal, add_session, set_salt
from tests.town import Town, build_town, make_gateway, make_site

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
NOW = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC)


@pytest.fixture
def town(db: Session) -> Town:
    """On some days of May and June: eight devices at the station, six of which walk to Battant, five at the library."""
    town = build_town(db)
    for day in [MAY, MAY + timedelta(days=10), JUNE, JUNE + timedelta(days=10), JUNE + timedelta(days=29)]:
        for device in range(8):
            walks = ((town.battant, 10.0),) if device < 6 else ()
            add_session(
                db,
                town.station,
                device,
                at=noon(day),
                walks=walks,
                used=(10, 20_000_000),
                best=9_000 + 2_000 * device,
            )
        for device in range(20, 25):
            add_session(db, town.pierre_bayle, device, at=noon(day), minutes=60)
        add_refusal(db, town.station, at=noon(day))
    return town


def make(db: Session, *, close: bool = True) -> None:
    while (day := building.due(db, now=NOW)) and day < date(2026, 7, 1):
        set_salt(db, day.replace(day=1))
        building.store(db, building.make(db, day), now=NOW)
        if close and (month := months.due(db)):
            months.close(db, month, now=NOW)
    db.flush()


def load(db: Session, first: date = JUNE, last: date = date(2026, 6, 30), *networks: str) -> Report:
    return report.load(db, Period(first, last), networks=frozenset(networks), ads=lambda _: {})


def test_sites_networks_and_everything_add_up(db: Session, town: Town) -> None:
    make(db)
    found = load(db)
    assert found.is_complete and found.is_comparable
    assert (found.whole.now.sessions, found.whole.before.sessions) == (39, 26)
    by_slug = {network.whole.slug: network for network in found.networks}
    assert by_slug["wifilib"].whole.now.sessions == 24
    assert by_slug["wifilib"].whole.now.volume == 24 * 20_000_010
    assert {site.slug: site.now.sessions for site in by_slug["wifilib"].sites} == {
        "gare-viotte": 24,
        "battant": 0,
    }
    assert {site.slug: site.now.visits for site in by_slug["wifilib"].sites} == {
        "gare-viotte": 24,
        "battant": 18,
    }
    assert sum(found.whole.now.by_month().values()) == sum(found.whole.now.by_weekday()) == 39
    assert found.whole.now.hour_sessions[12] == 39


def test_the_peak_is_that_of_the_sum_and_not_the_sum_of_peaks(db: Session, town: Town) -> None:
    """Who walks from the station to Battant is online once."""
    make(db)
    found = load(db)
    assert found.whole.now.peak == (13, JUNE, 144)
    free = next(network for network in found.networks if network.whole.slug == "wifilib")
    assert {site.slug: site.now.peak[0] for site in free.sites} == {"gare-viotte": 8, "battant": 6}
    assert free.whole.now.peak[0] == 8


@pytest.mark.parametrize("close", [True, False])
def test_devices_are_counted_once_in_a_month_wherever_they_were(db: Session, town: Town, close: bool) -> None:
    make(db, close=close)
    found = load(db)
    assert (found.whole.devices, found.whole.devices_before) == ({JUNE: 13}, {MAY: 13})
    free = next(network for network in found.networks if network.whole.slug == "wifilib")
    assert {site.slug: site.devices for site in free.sites} == {
        "gare-viotte": {JUNE: 8},
        "battant": {JUNE: 6},
    }


def test_of_a_part_of_a_closed_month_devices_cannot_be_known(db: Session, town: Town) -> None:
    make(db)
    found = load(db, JUNE, JUNE + timedelta(days=9))
    assert found.whole.devices == {}
    assert found.whole.now.most_devices == 8


def test_the_rate_is_measured_against_the_one_wanted(db: Session, town: Town) -> None:
    make(db)
    free = load(db, JUNE, date(2026, 6, 30), "wifilib").whole.now
    # 9, 11, 13 of eight are below 15 Mbit/s.
    assert free.wanted_kbps == 15_000
    assert free.reached == pytest.approx(5 / 8)


def test_a_report_on_one_network_knows_no_other(db: Session, town: Town) -> None:
    make(db)
    found = load(db, JUNE, date(2026, 6, 30), "bibliotheques")
    assert [network.whole.slug for network in found.networks] == ["bibliotheques"]
    assert found.whole.now.sessions == 15
    assert found.whole.now.failures == {}
    assert found.whole.devices == {JUNE: 5}


def test_days_without_figures_are_said(db: Session, town: Town) -> None:
    make(db)
    found = load(db, JUNE, date(2026, 7, 31))
    assert (found.days_made, found.is_complete, found.last_made) == (30, False, date(2026, 6, 30))


def test_equal_figures_have_one_fingerprint_and_others_another(db: Session, town: Town) -> None:
    make(db)
    before = load(db).digest
    assert load(db).digest == before != load(db, MAY, next_month(MAY) - timedelta(days=1)).digest
    for day in days_between(JUNE, JUNE + timedelta(days=3)):
        building.replace(db, building.rebuild(db, day, devices=False))
    assert load(db).digest == before
    db.execute(update(DayFigures).where(DayFigures.day == JUNE).values(visits=DayFigures.visits + 1))
    assert load(db).digest != before


def test_a_site_with_few_devices_is_hidden_and_the_next_smallest_with_it(db: Session, town: Town) -> None:
    quiet = make_gateway("gw-quiet", make_site("quiet", town.free), town.free)
    db.add(quiet)
    db.flush()
    for device in range(40, 43):
        add_session(db, quiet, device, at=noon(JUNE))
    make(db)
    found = load(db)
    free = next(network for network in found.networks if network.whole.slug == "wifilib")
    assert {site.slug: site.shown for site in free.sites} == {
        "quiet": Disclosure.SMALL,
        "battant": Disclosure.WITHHELD,
        "gare-viotte": Disclosure.OPENLY,
    }
    assert free.whole.shown is Disclosure.OPENLY and found.whole.shown is Disclosure.OPENLY


def test_a_small_network_cannot_be_worked_out_from_the_other_one(db: Session) -> None:
    town = build_town(db)
    for device in range(3):
        add_session(db, town.pierre_bayle, device, at=noon(JUNE))
    for device in range(20, 40):
        add_session(db, (town.station, town.battant)[device % 2], device, at=noon(JUNE))
    make(db)
    found = load(db)
    by_slug = {network.whole.slug: network for network in found.networks}
    assert by_slug["bibliotheques"].whole.shown is Disclosure.SMALL
    assert by_slug["wifilib"].whole.shown is Disclosure.WITHHELD
    # Nor from the sites of the other one.
    assert Disclosure.WITHHELD in {site.shown for site in by_slug["wifilib"].sites}
    assert found.whole.shown is Disclosure.OPENLY
