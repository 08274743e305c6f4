"""What a NAS holds otherwise than the leases say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.radius.accounting import Names, Record, Status
from gateways.types import parse_mac
from sessions import end, feed, nas_changes, nas_sessions, present, renewal
from sessions.models import AccessSession, EndReason, Lease, NasSession
from sessions.nas_changes import Differences
from sites.models import Gateway
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, BO_PHONE, build_town, make_client


def tell(db: Session, access: AccessSession, status: Status, *, at: datetime = NOON) -> None:
    """An Accounting-Request of this session has come."""
    record = Record(
        status=status,
        nas="labgw",
        session_id=f"s{access.id}",
        mac=parse_mac(access.mac),
        number=access.id,
        seconds=int((at - NOON).total_seconds()),
        names=Names(user=f"user-{access.id}", station=access.mac.upper()),
    )
    nas_sessions.take(db, gateway=access.gateway, record=record, interim_seconds=300, now=at)


def differ(db: Session, gateway: Gateway, *, at: datetime = NOON) -> Differences:
    db.expire_all()
    return nas_changes.differences(
        db, gateway_id=gateway.id, user_of=lambda number, _mac: f"made-{number}", now=at
    )


def confirm(db: Session, *passing: AccessSession) -> None:
    for access in passing:
        feed.confirm_some(db, gateway_id=access.gateway_id, numbers=[access.id], now=NOON)


def chilli(db: Session) -> Gateway:
    gateway = build_town(db).station
    gateway.kind, gateway.options = "coovachilli", {"nas_address": "10.1.2.3"}
    db.flush()
    return gateway


def test_where_they_agree_nothing_is_asked(db: Session) -> None:
    access = enter(db, gateway := chilli(db))
    assert differ(db, gateway) == Differences((), (), ())
    confirm(db, access)
    tell(db, access, Status.START)
    assert differ(db, gateway) == Differences((), (), ())


def test_an_end_is_asked_for_the_newest_first_and_of_what_was_never_reported_by_its_name(db: Session) -> None:
    first = enter(db, gateway := chilli(db))
    second = enter(db, gateway, BO_PHONE, "10.66.0.6")
    third = enter(db, gateway, "02:00:00:00:00:33", "fd66::7")
    never = enter(db, gateway, "02:00:00:00:00:34", "10.66.0.8")
    confirm(db, first, second, third)
    for access in (first, second):
        tell(db, access, Status.START)
    for access in (first, second, third, never):
        end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    found = differ(db, gateway)
    assert [(one.number, one.session.user_name) for one in found.ends] == [
        (second.id, f"user-{second.id}"),
        (first.id, f"user-{first.id}"),
        (third.id, f"made-{third.id}"),
    ]
    assert found.ends[0].session.calling_station_id == BO_PHONE.upper()
    # Framed-IP-Address holds no IPv6.
    assert found.ends[2].session.framed_address == ""
    assert found.over == (never.id,)


def test_an_answer_ends_the_question_until_the_nas_says_otherwise(db: Session) -> None:
    access = enter(db, gateway := chilli(db))
    confirm(db, access)
    tell(db, access, Status.START)
    end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    [asked] = differ(db, gateway).ends
    assert asked.row is not None
    nas_changes.note_ends(db, done=[asked.row], unknown=[], now=NOON)
    feed.confirm_some(db, gateway_id=gateway.id, numbers=(), ended=[access.id], now=NOON)
    assert differ(db, gateway) == Differences((), (), ())
    later = NOON + timedelta(minutes=5)
    tell(db, access, Status.INTERIM, at=later)
    assert [one.row for one in differ(db, gateway, at=later).ends] == [asked.row]
    version = gateway.feed_version
    nas_changes.doubt(db, gateway_id=gateway.id, numbers=[access.id], now=later)
    db.expire_all()
    lease = db.scalars(select(Lease)).one()
    assert lease.release_confirmed_at is None and lease.version == gateway.feed_version > version
    tell(db, access, Status.STOP, at=later)
    assert differ(db, gateway, at=later).over == (access.id,)


def test_a_session_that_the_nas_does_not_know_is_closed(db: Session) -> None:
    access = enter(db, gateway := chilli(db))
    confirm(db, access)
    tell(db, access, Status.START)
    end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    [asked] = differ(db, gateway).ends
    nas_changes.note_ends(db, done=[], unknown=[asked.row or 0], now=NOON)
    db.expire_all()
    row = db.scalars(select(NasSession)).one()
    assert (row.stopped_at, row.stop_cause) == (NOON, nas_changes.UNKNOWN)


def test_a_renewal_is_a_change_of_the_session_that_runs(db: Session) -> None:
    access = enter(db, gateway := chilli(db))
    confirm(db, access)
    tell(db, access, Status.START)
    late = NOON + timedelta(minutes=27)
    tell(db, access, Status.INTERIM, at=late)
    renewal.renew(db, present.of(access), gateway=gateway, client=make_client(), now=late)
    db.refresh(access)
    [change] = differ(db, gateway, at=late).changes
    assert (change.number, change.until) == (access.id, access.until)
    assert change.session.started_at == NOON
    assert change.session.calling_station_id == ADA_PHONE.upper()
    feed.confirm_some(db, gateway_id=gateway.id, numbers=[access.id], now=late)
    assert differ(db, gateway, at=late).changes == ()


def test_another_gateways_sessions_are_none_of_its_own(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.battant)
    confirm(db, access)
    tell(db, access, Status.START)
    end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    assert differ(db, town.station) == Differences((), (), ())
    assert len(differ(db, town.battant).ends) == 1
