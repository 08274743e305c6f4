"""What a gateway reads, and what it says back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from gateways.types import MacAddress
from sessions import end, feed, leases, present, renewal, start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, ClientObservation, EndReason, Lease
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.town import ADA_PHONE, BO_PHONE, build_town, make_client

HALF_HOUR = timedelta(minutes=30)


def enter(db: Session, gateway: Gateway, mac: str = ADA_PHONE, address: str = "10.66.0.5") -> AccessSession:
    return start.open_access(
        db,
        Arrival(gateway, make_client(mac, address), Acceptance("1", "fr", "")),
        allowance=Allowance(mac, SigninMethod.FREE, None, 1),
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
    renewal.renew(db, present.of(access), gateway=town.station, client=make_client(), now=now)
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


# What has happened by the time a confirmation comes


def lease_of(db: Session, access: AccessSession) -> Lease:
    found = select(Lease).where(Lease.access_id == access.id)
    return db.scalars(found, execution_options={"populate_existing": True}).one()


def test_a_gateway_confirms_its_own_leases_alone(db: Session) -> None:
    town = build_town(db)
    here, there = enter(db, town.station), enter(db, town.battant, BO_PHONE, "10.67.0.6")
    version = read(db, town.station).version
    assert version >= lease_of(db, there).version
    confirmed = feed.confirm(
        db, gateway_id=town.station.id, version=version, refused={there.id: "not mine to say"}, now=NOON
    )
    assert confirmed == [lease_of(db, here).id]
    assert (lease_of(db, there).confirmed_at, lease_of(db, there).refused) == (None, None)


def test_the_first_confirmation_counts_and_a_repeated_one_moves_nothing(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    version = read(db, town.station).version
    said = {"gateway_id": town.station.id, "version": version}
    assert feed.confirm(db, **said, refused={}, now=NOON) == [lease_of(db, access).id]
    again = NOON + timedelta(seconds=10)
    assert feed.confirm(db, **said, refused={}, now=again) == []
    # Nor does a refusal that comes after it.
    assert feed.confirm(db, **said, refused={access.id: "set full"}, now=again) == []
    assert (lease_of(db, access).confirmed_at, lease_of(db, access).refused) == (NOON, None)


def test_what_was_refused_is_not_confirmed_by_a_later_word(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    said = {"gateway_id": town.station.id, "version": read(db, town.station).version, "now": NOON}
    feed.confirm(db, **said, refused={access.id: "set full"})
    assert feed.confirm(db, **said, refused={}) == []
    assert (lease_of(db, access).confirmed_at, lease_of(db, access).refused) == (None, "set full")


def test_a_confirmation_that_comes_after_the_end_confirms_nothing(db: Session) -> None:
    town = build_town(db)
    ended, over = enter(db, town.station), enter(db, town.station, BO_PHONE, "10.66.0.6")
    end.end(db, ended.id, reason=EndReason.STAFF, now=NOON)
    version = read(db, town.station).version
    late = lease_of(db, over).until
    assert feed.confirm(db, gateway_id=town.station.id, version=version, refused={}, now=late) == []
    confirmed = feed.confirm(db, gateway_id=town.station.id, version=version, refused={}, now=NOON)
    assert confirmed == [lease_of(db, over).id]


# What the whole truth leaves out


def test_a_lease_that_was_taken_back_is_not_told_though_its_session_goes_on(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    seen = read(db, town.station).version
    leases.release(db, access.id, now=NOON)
    assert read(db, town.station).grants == ()
    assert read(db, town.station, seen).ends == (access.id,)


def test_a_lease_that_an_ended_session_left_behind_is_not_told(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    db.execute(update(AccessSession).where(AccessSession.id == access.id).values(ended_at=NOON))
    assert read(db, town.station).grants == ()


def test_an_address_seen_behind_another_gateway_is_no_part_of_a_grant(db: Session) -> None:
    """Two sites may use the same prefixes: there it is somebody else's."""
    town = build_town(db)
    enter(db, town.station)
    seen = {"mac": ADA_PHONE, "seen_at": NOON}
    db.add_all(
        [
            ClientObservation(gateway_id=town.station.id, address="fd66::a", **seen),
            ClientObservation(gateway_id=town.battant.id, address="fd66::b", **seen),
            ClientObservation(gateway_id=town.battant.id, address="10.66.0.99", **seen),
        ]
    )
    db.flush()
    [grant] = read(db, town.station).grants
    assert [str(address) for address in grant.client.addresses] == ["10.66.0.5", "fd66::a"]


def test_a_gateway_that_answers_client_by_client_confirms_those_alone(db: Session) -> None:
    town = build_town(db)
    ada = enter(db, town.station)
    bo = enter(db, town.station, BO_PHONE, "10.66.0.6")

    def waiting() -> list[int]:
        return [grant.number for grant in feed.unconfirmed(db, gateway_id=town.station.id, now=NOON)]

    assert sorted(waiting()) == [ada.id, bo.id]
    confirmed = feed.confirm_some(db, gateway_id=town.station.id, numbers=[ada.id], now=NOON)
    assert db.scalars(select(Lease.access_id).where(Lease.id.in_(confirmed))).all() == [ada.id]
    db.refresh(town.station)
    assert waiting() == [bo.id] and town.station.confirmed_version < town.station.feed_version
    assert feed.confirm_some(db, gateway_id=town.battant.id, numbers=[bo.id], now=NOON) == []
    assert waiting() == [bo.id]
    feed.confirm_some(db, gateway_id=town.station.id, numbers=[bo.id], now=NOON)
    db.refresh(town.station)
    assert waiting() == [] and town.station.confirmed_version == town.station.feed_version


def test_what_has_ended_or_was_taken_back_is_confirmed_by_nobody(db: Session) -> None:
    town = build_town(db)
    ada, bo = enter(db, town.station), enter(db, town.station, BO_PHONE, "10.66.0.6")
    end.end(db, ada.id, reason=EndReason.STAFF, now=NOON)
    late = NOON + HALF_HOUR
    assert feed.confirm_some(db, gateway_id=town.station.id, numbers=[ada.id], now=NOON) == []
    assert feed.confirm_some(db, gateway_id=town.station.id, numbers=[bo.id], now=late) == []


def test_a_gateway_that_answers_client_by_client_is_behind_until_it_has_said_who_passes_no_more(
    db: Session,
) -> None:
    town = build_town(db)
    gone, stays = enter(db, town.station), enter(db, town.station, BO_PHONE, "10.66.0.6")
    feed.confirm_some(db, gateway_id=town.station.id, numbers=[gone.id, stays.id], now=NOON)
    assert confirmed(db, town.station)
    end.end(db, gone.id, reason=EndReason.STAFF, now=NOON)
    # What it says of others is no word on this one.
    feed.confirm_some(db, gateway_id=town.station.id, numbers=[stays.id], now=NOON)
    assert not confirmed(db, town.station)
    assert feed.unconfirmed_ends(db, gateway_id=town.station.id, now=NOON) == (
        feed.End(gone.id, MacAddress(ADA_PHONE), "10.66.0.5"),
    )
    refusal = {gone.id: "administratively prohibited"}
    feed.confirm_some(db, gateway_id=town.station.id, numbers=(), refused_ends=refusal, now=NOON)
    assert not confirmed(db, town.station)
    assert the_lease(db, gone).release_refused == "administratively prohibited"
    feed.confirm_some(db, gateway_id=town.station.id, numbers=(), ended=[gone.id, stays.id], now=NOON)
    assert confirmed(db, town.station)
    assert (the_lease(db, gone).release_confirmed_at, the_lease(db, gone).release_refused) == (NOON, None)
    # Nobody has ended the other one, whatever the gateway says.
    assert the_lease(db, stays).release_confirmed_at is None


def test_an_end_is_nothing_to_wait_for_at_a_gateway_that_never_had_the_lease_or_after_its_deadline(
    db: Session,
) -> None:
    town = build_town(db)
    never, late = enter(db, town.station), enter(db, town.station, BO_PHONE, "10.66.0.6")
    feed.confirm_some(db, gateway_id=town.station.id, numbers=[late.id], now=NOON)
    for access in (never, late):
        end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    waiting = feed.unconfirmed_ends(db, gateway_id=town.station.id, now=NOON)
    assert [one.number for one in waiting] == [late.id]
    assert feed.unconfirmed_ends(db, gateway_id=town.station.id, now=NOON + HALF_HOUR) == ()


def confirmed(db: Session, gateway: Gateway) -> bool:
    db.refresh(gateway)
    return gateway.confirmed_version == gateway.feed_version


def the_lease(db: Session, access: AccessSession) -> Lease:
    return db.scalars(
        select(Lease).where(Lease.access_id == access.id).execution_options(populate_existing=True)
    ).one()
