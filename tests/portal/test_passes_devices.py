"""One ticket is as many devices as its plan allows, and its time is its own, whatever device shows it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.services import Services
from sessions.models import AccessSession, EndReason
from tests.clock import NOON, MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.visitors import issue, sessions, tablet_beside, use, vouchers
from tests.town import ADA_TABLET, BO_PHONE, Town

MIDNIGHT = NOON + timedelta(hours=12)


@pytest.fixture
def ticket(services: Services, town: Town) -> str:
    """The code of one day pass for one device."""
    return issue(services).codes[0]


def test_the_first_use_is_recorded_once(reader: Phone, ticket: str, db: Session, clock: MovingClock) -> None:
    use(reader, ticket)
    clock.advance(hours=1)
    use(tablet_beside(reader), ticket, move="1")
    [voucher] = vouchers(db)
    assert (voucher.used_at, voucher.until) == (NOON, MIDNIGHT)


def test_a_second_device_is_told_and_may_take_over(
    reader: Phone, bayle: Agent, ticket: str, db: Session, clock: MovingClock
) -> None:
    use(reader, ticket)
    clock.advance(hours=1)
    tablet = tablet_beside(reader)
    answer = use(tablet, ticket)
    assert answer.status_code == 409
    assert "in use on another device" in answer.text
    assert len(sessions(db)) == 1
    assert tablet.press("/pass").status_code == 303
    bayle.follow()
    assert bayle.macs == {ADA_TABLET}
    first, second = sessions(db)
    assert (first.end_reason, second.until) == (EndReason.DEVICE_LIMIT, MIDNIGHT)
    assert second.previous_id == first.id


def test_the_same_device_goes_on_with_no_added_time(
    reader: Phone, bayle: Agent, services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    code = issue(services, plan="2h").codes[0]
    use(reader, code)
    bayle.follow()
    clock.advance(minutes=20)
    reader.get(reader.page.location)
    reader.press("/leave")
    assert use(reader, code).status_code == 303
    assert [access.until for access in sessions(db)] == [NOON + timedelta(hours=2)] * 2


def test_leaving_and_coming_back_never_adds_to_a_pass(
    reader: Phone, services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    """The end was set at the first use."""
    code = issue(services, plan="2h").codes[0]
    for _ in range(20):
        assert use(reader, code).status_code == 303
        clock.advance(minutes=6)
        with services.make_session.begin() as writing:
            access = writing.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))).one()
            access.ended_at, access.end_reason = clock(), EndReason.LEFT
    assert "This pass ended" in use(reader, code).text
    assert {access.until for access in sessions(db)} == {NOON + timedelta(hours=2)}


def test_as_many_devices_as_the_plan_allows(
    reader: Phone, services: Services, town: Town, db: Session
) -> None:
    code = issue(services, devices=2).codes[0]
    assert use(reader, code).status_code == 303
    assert use(tablet_beside(reader), code).status_code == 303
    assert use(Phone(reader.app, reader.gateway, BO_PHONE, "10.68.0.9"), code).status_code == 409
    assert len({access.subject for access in sessions(db)}) == 1


def test_a_pass_is_one_ticket_on_all_networks_together(
    reader: Phone, phone: Phone, services: Services, town: Town, db: Session
) -> None:
    with services.make_session.begin() as writing:
        writing.merge(town.free).signin_methods = ["free", "pass"]
    services.places.forget()
    code = issue(services).codes[0]
    assert use(reader, code).status_code == 303
    other = Phone(phone.app, phone.gateway, BO_PHONE, "10.66.0.9")
    assert use(other, code).status_code == 409
    assert other.press("/pass").status_code == 303
    assert [access.ended_at is None for access in sessions(db)] == [False, True]


def test_a_device_online_as_a_patron_takes_the_pass_instead(
    reader: Phone, ticket: str, db: Session, services: Services
) -> None:
    reader.land()
    visit = reader.form("/pass")["visit"]
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    assert reader.post("/pass", visit=visit, code=ticket).status_code == 303
    assert [access.method for access in sessions(db) if access.ended_at is None] == ["pass"]
