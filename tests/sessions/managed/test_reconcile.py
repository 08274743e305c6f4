"""Managed devices are online while a register wants them, within what it allows, and are no guests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from auth.errors import ManagedDevice
from auth.managed import Managed
from gateways.destinations import parse_destinations
from gateways.types import parse_mac
from sessions import clients, end, feed, late_starts, roaming, start
from sessions.arrival import Acceptance, Arrival
from sessions.managed.reconcile import LEASE, LONGEST_SESSION, Reconciled, fit
from sessions.models import AccessSession, EndReason, Lease
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, BO_PHONE, Town, build_town, make_client

CAMERA = "02:00:00:00:0c:01"
CONTRACT = NOON + timedelta(days=400)


@pytest.fixture
def town(db: Session) -> Town:
    town = build_town(db)
    for gateway in (town.station, town.battant):
        gateway.kind = "fake"
    town.free.signin_methods = ["free", "managed"]
    town.library.signin_methods = ["patron", "managed"]
    db.flush()
    return town


def camera(*gateways: Gateway, **fields: Any) -> Managed:
    values: dict[str, Any] = {"subject": "device:1", "mac": parse_mac(CAMERA), "until": CONTRACT}
    return Managed(**{**values, "gateway_ids": frozenset(one.id for one in gateways), **fields})


def sessions_of(db: Session, mac: str = CAMERA) -> list[AccessSession]:
    found = select(AccessSession).where(AccessSession.mac == mac).order_by(AccessSession.id)
    return list(db.scalars(found, execution_options={"populate_existing": True}))


def grants(db: Session, gateway: Gateway, now=NOON) -> list[tuple[str, float]]:
    answer = feed.read(db, gateway_id=gateway.id, since=0, now=now)
    return [(grant.client.mac, grant.until) for grant in answer.grants]


def test_a_wanted_device_passes_without_anybody_and_a_second_round_changes_nothing(
    db: Session, town: Town
) -> None:
    wanted = [camera(town.station, town.battant, rate_up_kbps=2000)]
    assert fit(db, wanted, now=NOON) == Reconciled(started=1, granted=2)
    assert fit(db, wanted, now=NOON) == Reconciled()
    [access] = sessions_of(db)
    assert (access.method, access.subject, access.until) == (
        SigninMethod.MANAGED,
        "device:1",
        NOON + LEASE,
    )
    for gateway in (town.station, town.battant):
        assert grants(db, gateway) == [(CAMERA, (NOON + LEASE).timestamp())]


def test_its_lease_is_renewed_before_its_end_and_never_beyond_the_contract(db: Session, town: Town) -> None:
    wanted = [camera(town.station, until=NOON + timedelta(hours=8))]
    fit(db, wanted, now=NOON)
    soon = NOON + timedelta(hours=4)
    assert fit(db, wanted, now=soon) == Reconciled(granted=1)
    assert grants(db, town.station, soon) == [(CAMERA, (NOON + timedelta(hours=8)).timestamp())]
    assert fit(db, wanted, now=NOON + timedelta(hours=7, minutes=59)) == Reconciled()
    over = NOON + timedelta(hours=8)
    assert grants(db, town.station, over) == []
    fit(db, wanted, now=over)
    assert [one.ended_at for one in sessions_of(db)] == [over]


def test_what_no_register_wants_any_more_ends_at_once(db: Session, town: Town) -> None:
    fit(db, [camera(town.station)], now=NOON)
    seen = feed.read(db, gateway_id=town.station.id, since=0, now=NOON).version
    [access] = sessions_of(db)
    assert fit(db, [], now=NOON) == Reconciled(ended=1)
    assert feed.read(db, gateway_id=town.station.id, since=seen, now=NOON).ends == (access.id,)
    assert [one.end_reason for one in sessions_of(db)] == [EndReason.POLICY]


def test_a_changed_record_reaches_the_gateway_without_an_end(db: Session, town: Town) -> None:
    fit(db, [camera(town.station)], now=NOON)
    seen = feed.read(db, gateway_id=town.station.id, since=0, now=NOON).version
    there = parse_destinations(["203.0.113.10 tcp/443", "2001:db8::/32"])
    changed = camera(town.station, rate_down_kbps=100, destinations=there, until=NOON + timedelta(hours=1))
    assert fit(db, [changed], now=NOON) == Reconciled(granted=1)
    answer = feed.read(db, gateway_id=town.station.id, since=seen, now=NOON)
    [grant] = answer.grants
    assert (grant.destinations, grant.until) == (there, (NOON + timedelta(hours=1)).timestamp())
    assert answer.ends == ()
    [access] = sessions_of(db)
    assert access.until == NOON + timedelta(hours=1)


def test_it_is_let_in_at_its_gateways_and_at_no_other(db: Session, town: Town) -> None:
    fit(db, [camera(town.station)], now=NOON)
    there = make_client(CAMERA, "10.67.0.5")
    assert roaming.arrive(db, gateway=town.battant, clients=[there], now=NOON) == 0
    assert grants(db, town.battant) == []
    fit(db, [camera(town.battant)], now=NOON)
    assert grants(db, town.station) == []
    assert grants(db, town.battant) == [(CAMERA, (NOON + LEASE).timestamp())]
    [access] = sessions_of(db)
    assert (access.gateway_id, access.site_id) == (town.battant.id, town.battant.site_id)


def test_a_gateway_that_says_it_has_gone_takes_it_out_of_no_book(db: Session, town: Town) -> None:
    fit(db, [camera(town.station, town.battant)], now=NOON)
    [access] = sessions_of(db)
    assert roaming.leave(db, gateway=town.station, access_id=access.id, now=NOON)
    assert fit(db, [camera(town.station, town.battant)], now=NOON) == Reconciled()
    assert grants(db, town.station) == [(CAMERA, (NOON + LEASE).timestamp())]


def test_a_network_that_does_not_admit_it_and_a_kind_that_cannot_keep_its_bounds_let_nothing_pass(
    db: Session, town: Town
) -> None:
    there = parse_destinations(["203.0.113.10"])
    town.station.kind = "opennds"
    assert fit(db, [camera(town.station, destinations=there)], now=NOON) == Reconciled()
    town.free.signin_methods = ["free"]
    assert fit(db, [camera(town.battant)], now=NOON) == Reconciled()
    assert sessions_of(db) == []


def test_a_guest_on_the_same_card_gives_way_and_cannot_sign_in_over_it(db: Session, town: Town) -> None:
    guest = enter(db, town.station, CAMERA)
    fit(db, [camera(town.station)], now=NOON)
    assert [one.end_reason for one in sessions_of(db)] == [EndReason.POLICY, None]
    with pytest.raises(ManagedDevice):
        enter(db, town.station, CAMERA)
    other = enter(db, town.station, ADA_PHONE)
    arrival = Arrival(town.station, make_client(CAMERA), Acceptance("1", "fr", ""))
    with pytest.raises(ManagedDevice):
        start.move(db, other, arrival, now=NOON)
    assert db.get_one(AccessSession, other.id, populate_existing=True).ended_at is None
    assert guest.id != sessions_of(db)[-1].id


def test_of_two_records_of_one_card_the_first_holds(db: Session, town: Town) -> None:
    fit(db, [camera(town.station), camera(town.station, subject="tablet:1")], now=NOON)
    assert [one.subject for one in sessions_of(db)] == ["device:1"]


def test_silence_ends_no_managed_session_and_none_counts_as_a_guest(db: Session, town: Town) -> None:
    town.station.kind, town.station.seen_at = "nftables", NOON + timedelta(hours=2)
    fit(db, [camera(town.station)], now=NOON)
    enter(db, town.battant, BO_PHONE)
    assert end.end_idle(db, now=NOON + timedelta(hours=2)) == 0
    assert clients.count_online(db, now=NOON) == 1


def test_a_session_that_lasts_for_a_month_goes_on_as_another_so_that_its_log_can_be_purged(
    db: Session, town: Town
) -> None:
    fit(db, [camera(town.station)], now=NOON)
    later = NOON + LONGEST_SESSION
    [access] = sessions_of(db)
    access.until = later + timedelta(hours=1)
    db.flush()
    assert fit(db, [camera(town.station)], now=later) == Reconciled(started=1, ended=1, granted=1)
    first, second = sessions_of(db)
    assert (first.end_reason, second.ended_at) == (EndReason.EXPIRED, None)


def test_a_lease_whose_time_begins_at_the_gateway_is_bounded_by_no_closing(db: Session, town: Town) -> None:
    town.pierre_bayle.kind = "opennds"
    late = NOON + timedelta(hours=5)
    fit(db, [camera(town.pierre_bayle)], now=late)
    [access] = sessions_of(db)
    until = late_starts.end_if_let_in(db, access.id, gateway=town.pierre_bayle, now=late)
    # The library closes in an hour.
    assert until is not None
    assert until > late + timedelta(hours=3)


def test_a_pass_that_a_person_shows_counts_no_managed_device(db: Session, town: Town) -> None:
    fit(db, [camera(town.station)], now=NOON)
    opened = start.open_access(
        db,
        Arrival(town.station, make_client(ADA_PHONE), Acceptance("1", "fr", "")),
        allowance=Allowance("device:1", SigninMethod.PASS, NOON + timedelta(hours=1), 1),
        now=NOON,
    )
    assert opened.access.is_open(NOON)
    assert db.scalars(select(Lease).where(Lease.access_id == opened.access_id)).all()
