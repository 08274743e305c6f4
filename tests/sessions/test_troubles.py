"""Troubles: what is broken begins, goes on, is over, and comes back as the same one; each is found by its detector."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.errors import DirectoryUnavailable
from auth.staff.roles import Authority, Role
from sessions.gateway_health import outages
from sessions.models import Decision, Usage
from sessions.retention import clock_check, holds
from sessions.retention.holds import HoldScope
from sessions.retention.models import PurgeRefusal, PurgeRun
from sessions.statistics.definitions import LEAST_BYTES_FOR_A_RATE
from sessions.troubles import detectors, kinds, places
from sessions.troubles.kinds import TroubleKind
from sessions.troubles.models import Trouble
from sessions.troubles.service import (
    SETTLED_AFTER,
    SWEEP_SILENT_AFTER,
    Found,
    forget,
    open_troubles,
    past_troubles,
    record,
    sweep_silence,
)
from sites.directory import Measured
from sites.models import SiteState
from tests.actors import TESTER
from tests.clock import NOON
from tests.sessions.log.rows import add_session
from tests.town import Town, build_town, make_gateway, make_library_network

SILENT = (kinds.GATEWAY_SILENT,)


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def silent(subject: str = "gw-viotte", network: str = "wifilib", **detail: object) -> Found:
    return Found(kinds.GATEWAY_SILENT, subject, NOON, (network,), {"site": "Gare Viotte", **detail})


def rows(db: Session) -> list[tuple[str, datetime, datetime | None]]:
    found = db.scalars(select(Trouble).order_by(Trouble.id), execution_options={"populate_existing": True})
    return [(row.subject, row.since, row.over_at) for row in found]


def names(found: Iterable[Found]) -> list[tuple[str, str]]:
    return [(one.kind.name, one.subject) for one in found]


def test_it_begins_once_goes_on_and_is_over(db: Session) -> None:
    for minute in range(3):
        record(db, SILENT, [silent()], now=NOON + timedelta(minutes=minute))
    assert rows(db) == [("gw-viotte", NOON, None)]
    assert open_troubles(db)[0].last_seen_at == NOON + timedelta(minutes=2)
    # What other detectors find is not this one's to end.
    record(db, (kinds.DISK_LOW,), [], now=NOON + timedelta(minutes=3))
    assert rows(db) == [("gw-viotte", NOON, None)]
    over = NOON + timedelta(minutes=4)
    record(db, SILENT, [], now=over)
    assert (rows(db), open_troubles(db)) == ([("gw-viotte", NOON, over)], [])
    assert [row.subject for row in past_troubles(db, since=NOON)] == ["gw-viotte"]
    forget(db, before=over + timedelta(seconds=1))
    assert rows(db) == []


@pytest.mark.parametrize(
    ("away", "told", "begins"), [(9, False, NOON), (9, True, None), (11, False, None)], ids=str
)
def test_what_comes_back_soon_is_the_same_one(
    db: Session, away: int, told: bool, begins: datetime | None
) -> None:
    record(db, SILENT, [silent()], now=NOON)
    over = NOON + timedelta(minutes=1)
    record(db, SILENT, [], now=over)
    if told:
        db.scalars(select(Trouble)).one().over_told_at = over
        db.flush()
    back = over + timedelta(minutes=away)
    assert (back - over < SETTLED_AFTER) is (away == 9)
    record(db, SILENT, [Found(kinds.GATEWAY_SILENT, "gw-viotte", back)], now=back)
    assert [row.since for row in open_troubles(db)] == [begins or back]
    assert len(rows(db)) == (1 if begins else 2)


def test_everybody_sees_what_their_roles_and_networks_are_for(db: Session) -> None:
    record(db, SILENT, [silent(), silent("gw-bayle", "bibliotheques")], now=NOON)
    record(db, (kinds.PURGE_REFUSED,), [Found(kinds.PURGE_REFUSED, "clock", NOON)], now=NOON)
    record(db, (kinds.DISK_LOW,), [Found(kinds.DISK_LOW, "/srv", NOON, detail={"free": 90})], now=NOON)

    def seen(role: Role, *networks: str) -> list[str]:
        authority = Authority(frozenset({role}), frozenset(networks))
        return [row.subject for row in open_troubles(db, authority=authority)]

    assert seen(Role.NETWORK) == ["gw-bayle", "gw-viotte", "/srv"]
    assert seen(Role.NETWORK, "wifilib") == ["gw-viotte"]
    assert seen(Role.PRIVACY) == ["clock"]
    assert seen(Role.PRIVACY, "wifilib") == []
    assert seen(Role.DESK) == []


def test_a_kind_of_a_newer_version_is_left_alone(db: Session) -> None:
    db.add(Trouble(kind="of_tomorrow", subject="x", networks=[], detail={}, since=NOON, last_seen_at=NOON))
    db.flush()
    assert open_troubles(db) == []


def test_gateways_in_service_that_are_not_well_are_found(db: Session, town: Town) -> None:
    assert names(detectors.gateways(db, NOON)) == []
    for gateway in (town.station, town.battant, town.pierre_bayle):
        outages.hear(db, gateway_id=gateway.id, now=NOON)
    town.pierre_bayle.site.state = SiteState.CLOSED
    later = NOON + timedelta(minutes=5)
    outages.hear(db, gateway_id=town.battant.id, now=later, health={"clock_offset": 30.0})
    db.expire_all()
    found = list(detectors.gateways(db, later))
    assert names(found) == [("gateway_clock", "gw-battant"), ("gateway_silent", "gw-viotte")]
    assert (found[1].since, found[1].networks) == (NOON, ("wifilib",))


def refuse(db: Session, town: Town, at: datetime, *, count: int, rule: str = "wrong_credentials") -> None:
    for number in range(count):
        code = f"{rule[:2]}{int(at.timestamp()) % 10000:04}{number:02}"
        db.add(Decision(code=code, at=at, rule=rule, step="signin", network_id=town.free.id, detail={}))
    db.flush()


def test_refusals_above_their_usual_are_found(db: Session, town: Town) -> None:
    recent = NOON - timedelta(minutes=5)
    refuse(db, town, recent, count=detectors.LEAST_REFUSALS - 1)
    assert names(detectors.refusals(db, NOON)) == []
    refuse(db, town, recent - timedelta(minutes=1), count=3)
    found = list(detectors.refusals(db, NOON))
    assert names(found) == [("refusals", "wifilib/wrong_credentials")]
    assert (found[0].detail["count"], found[0].detail["usual"]) == (12, 0)
    # One bad day makes nothing usual; four days of seven do.
    for day in range(1, 5):
        assert bool(names(detectors.refusals(db, NOON)))
        refuse(db, town, NOON - timedelta(days=day, hours=3), count=6)
    assert names(detectors.refusals(db, NOON)) == []


def test_purges_that_do_not_do_their_work_are_found(db: Session) -> None:
    def found() -> list[tuple[str, datetime]]:
        db.flush()
        return [(one.kind.name, one.since) for one in detectors.purges(db, NOON)]

    assert found() == []
    week, day = timedelta(days=7), timedelta(days=1)
    db.add(PurgeRun(as_of=NOON - week, finished_at=NOON - week, adds_up=True, cutoffs={}, detail={}))
    assert found() == [("purge_late", NOON - week)]
    for days in (2, 1):
        at, why = NOON - days * day, PurgeRefusal.CLOCK
        db.add(PurgeRun(as_of=at, finished_at=at, refused=why, cutoffs={}, detail={}))
    assert found() == [("purge_refused", NOON - 2 * day)]
    db.add(PurgeRun(as_of=NOON, finished_at=NOON, adds_up=False, cutoffs={}, detail={}))
    assert found() == [("purge_unbalanced", NOON)]


def test_a_hold_waits_for_a_second_person_until_it_lapses(db: Session, town: Town) -> None:
    holds.place(
        db,
        HoldScope(subject="x"),
        reference="PV 2026/112",
        reason="order",
        expires_at=NOON + timedelta(days=30),
        actor=TESTER,
        now=NOON,
        network_id=town.free.id,
    )
    found = list(detectors.second_persons(db, NOON))
    assert [(one.kind.name, one.networks) for one in found] == [("hold_waiting", ("wifilib",))]
    assert found[0].detail["until"] == (NOON + holds.TO_CONFIRM).isoformat()
    assert list(detectors.second_persons(db, NOON + holds.TO_CONFIRM)) == []


def test_a_sweep_that_does_not_run_and_a_clock_that_jumped_are_told(db: Session) -> None:
    assert sweep_silence(db, now=NOON) is None
    clock_check.look(db, now=NOON)
    assert sweep_silence(db, now=NOON + SWEEP_SILENT_AFTER - timedelta(seconds=1)) is None
    silence = sweep_silence(db, now=NOON + SWEEP_SILENT_AFTER)
    assert silence is not None and silence.since == NOON and rows(db) == []
    jumped = NOON + timedelta(days=30)
    clock_check.look(db, now=jumped)
    assert names(detectors.clock(db, jumped)) == [("clock_doubted", "")]
    assert sweep_silence(db, now=jumped) is None


def test_a_place_is_down_when_no_gateway_of_guests_serves_it_and_slowed_when_one_does_not(
    db: Session, town: Town
) -> None:
    second = make_library_network(slug="wifilib-2", signin_methods=["free"])
    cameras = make_library_network(slug="cameras", signin_methods=["managed"])
    site = town.station.site
    site.networks += [second, cameras]
    db.add_all([make_gateway("gw-second", site, second), make_gateway("gw-cameras", site, cameras)])
    db.flush()

    def found(*subjects: str, kind: TroubleKind = kinds.GATEWAY_SILENT) -> Measured | None:
        detail = {"site_slug": site.slug}
        one_by_one = [
            Found(kind, subject, NOON + timedelta(minutes=number), detail=detail)
            for number, subject in enumerate(subjects)
        ]
        record(db, (kinds.GATEWAY_SILENT, kinds.GATEWAY_DRIFTING), one_by_one, now=NOON + timedelta(hours=1))
        return places.measured(db).get(site.slug)

    assert found() is None
    # What is no guest's is no guest's business.
    assert found("gw-cameras") is None
    assert found("gw-viotte") == Measured(None, NOON)
    assert found("gw-viotte", "gw-second") == Measured(NOON + timedelta(minutes=1), NOON)
    assert found("gw-viotte", kind=kinds.GATEWAY_DRIFTING) == Measured(None, NOON)
    over = NOON + timedelta(hours=1)
    assert set(places.interruptions(db, site.slug, since=NOON)) == {
        (NOON, over),
        (NOON + timedelta(minutes=1), over),
    }


def test_refusals_of_our_own_slow_the_places_of_their_network_and_wrong_pins_do_not(
    db: Session, town: Town
) -> None:
    recent = NOON - timedelta(minutes=5)
    refuse(db, town, recent, count=12)
    record(db, (kinds.REFUSALS,), detectors.refusals(db, NOON), now=NOON)
    assert (len(open_troubles(db)), places.measured(db)) == (1, {})
    refuse(db, town, recent - timedelta(minutes=1), count=12, rule=DirectoryUnavailable.reason.code)
    record(db, (kinds.REFUSALS,), detectors.refusals(db, NOON), now=NOON)
    assert len(open_troubles(db)) == 2
    assert set(places.measured(db)) == {"gare-viotte", "battant"}
    assert places.measured(db)["battant"] == Measured(None, recent - timedelta(minutes=1))


def test_a_place_is_slow_when_most_who_load_a_lot_are(db: Session, town: Town) -> None:
    def load(number: int, best: int, down: int = LEAST_BYTES_FOR_A_RATE) -> None:
        access = add_session(
            db, town.station, NOON - timedelta(minutes=30), mac=f"02:00:00:00:01:{number:02x}"
        )
        usage = {
            "bytes_up": 0,
            "bytes_down": down,
            "packets_up": 0,
            "packets_down": 0,
            "best_down_kbps": best,
        }
        db.add(Usage(access_id=access.id, gateway_id=town.station.id, epoch="one", updated_at=NOON, **usage))
        db.flush()

    wanted = town.free.rate_wanted_kbps
    for number in range(3):
        load(number, wanted // 4)
    load(10, wanted // 2)
    # Who loads little says nothing about the line.
    load(11, 10, down=LEAST_BYTES_FOR_A_RATE - 1)
    assert names(detectors.slow_sites(db, NOON)) == []
    load(4, wanted // 4)
    found = list(detectors.slow_sites(db, NOON))
    assert names(found) == [("site_slow", "gare-viotte")]
    assert (found[0].detail["devices"], found[0].detail["fast"]) == (5, 1)
    for number in (12, 13, 14):
        load(number, wanted)
    assert names(detectors.slow_sites(db, NOON)) == []
