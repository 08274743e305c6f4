"""What a gateway reads, and what it says back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from sessions import end, feed, renewal, start
from sessions.models import AccessSession, EndReason, Lease
from sessions.start import Acceptance
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.town import ADA_PHONE, BO_PHONE, build_town, make_client

HALF_HOUR = timedelta(minutes=30)


def enter(db: Session, gateway: Gateway, mac: str = ADA_PHONE, address: str = "10.66.0.5") -> AccessSession:
    return start.open_access(
        db,
        gateway=gateway,
        client=make_client(mac, address),
        allowance=Allowance(mac, SigninMethod.FREE, None, 1),
        acceptance=Acceptance("1", "fr", ""),
        now=NOON,
    ).access


def read(db: Session, gateway: Gateway, since: int = 0, now=NOON) -> feed.Feed:
    return feed.read(db, gateway_id=gateway.id, since=since, now=now)


def test_a_new_follower_gets_the_whole_truth(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    answer = read(db, town.station)
    assert answer.full
    [grant] = answer.grants
    assert (grant.number, grant.client.mac) == (access.id, ADA_PHONE)
    assert grant.until == (NOON + HALF_HOUR).timestamp()
    assert (grant.rate_down_kbps, grant.rate_up_kbps) == (55_000, 15_000)


def test_a_follower_gets_only_what_changed(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    seen = read(db, town.station).version
    assert read(db, town.station, seen) == feed.Feed(seen, False, (), ())
    second = enter(db, town.station, BO_PHONE, "10.66.0.6")
    answer = read(db, town.station, seen)
    assert not answer.full
    assert [grant.number for grant in answer.grants] == [second.id]


def test_a_follower_of_a_gateway_without_leases_is_told_everything_once_and_then_waits(db: Session) -> None:
    town = build_town(db)
    first = read(db, town.station)
    assert (first.full, first.grants) == (True, ())
    assert read(db, town.station, first.version) == feed.Feed(first.version, False, (), ())
    access = enter(db, town.station)
    assert [grant.number for grant in read(db, town.station, first.version).grants] == [access.id]


def test_an_end_is_told_once_and_the_whole_truth_leaves_it_out(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    seen = read(db, town.station).version
    end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    assert read(db, town.station, seen).ends == (access.id,)
    assert read(db, town.station).grants == ()


def test_a_renewal_is_told_as_a_later_deadline_of_the_same_number(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    seen = read(db, town.station).version
    now = NOON + timedelta(minutes=27)
    renewal.renew(db, access, gateway=town.station, client=make_client(), now=now)
    [grant] = read(db, town.station, seen, now).grants
    assert (grant.number, grant.until) == (access.id, (NOON + timedelta(minutes=60)).timestamp())


def test_a_version_from_the_future_gets_the_whole_truth(db: Session) -> None:
    """A database restored from a backup: its gateways have seen more than it knows."""
    town = build_town(db)
    enter(db, town.station)
    assert read(db, town.station, 1_000).full


def test_one_gateway_never_hears_of_anothers_clients(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    assert read(db, town.battant).grants == ()


def test_a_lease_that_is_over_is_not_told(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    assert read(db, town.station, now=NOON + HALF_HOUR).grants == ()


def test_a_confirmation_reaches_exactly_the_leases_it_covers(db: Session) -> None:
    town = build_town(db)
    first = enter(db, town.station)
    version = read(db, town.station).version
    second = enter(db, town.station, BO_PHONE, "10.66.0.6")
    confirmed = feed.confirm(db, gateway_id=town.station.id, version=version, refused={}, now=NOON)
    leases = {
        lease.access_id: lease
        for lease in db.scalars(select(Lease), execution_options={"populate_existing": True})
    }
    assert confirmed == [leases[first.id].id]
    assert leases[first.id].confirmed_at == NOON
    assert leases[second.id].confirmed_at is None


def test_a_refused_grant_is_not_confirmed_and_keeps_the_reason(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    version = read(db, town.station).version
    feed.confirm(db, gateway_id=town.station.id, version=version, refused={access.id: "set full"}, now=NOON)
    lease = db.scalars(select(Lease), execution_options={"populate_existing": True}).one()
    assert (lease.confirmed_at, lease.refused) == (None, "set full")
