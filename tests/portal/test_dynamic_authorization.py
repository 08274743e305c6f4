"""Ends and changes at a NAS that listens on UDP, answers, refuses, is away, or loses its answers (RFC 5176)."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyrad import packet
from sqlalchemy import select

from gateways.landing_token import credential_digest
from gateways.radius.accounting import Names, Record, Status
from gateways.radius.live_sessions import LiveSession
from gateways.types import Client, parse_mac
from portal.gateway_api import dynamic_authorization, radius_credentials
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.secrets import secret_of
from portal.i18n.gateway_findings import finding_in_words
from sessions import end, nas_changes, nas_sessions
from sessions.gateway_health import dialogues
from sessions.models import AccessSession, EndReason, Lease, NasSession
from sessions.nas_sessions import LOST
from sites.gateways import rotate_credential
from sites.models import Gateway
from tests import radius_nas
from tests.clock import MovingClock
from tests.gateways.contract.portal import ContractPortal
from tests.radius_nas import Nas
from tests.town import make_gateway

PHONE = Client(parse_mac("02:aa:bb:cc:dd:01"), (ipaddress.ip_address("10.66.0.2"),))
TABLET = Client(parse_mac("02:aa:bb:cc:dd:02"), (ipaddress.ip_address("10.66.0.3"),))
CREDENTIAL = "credential-of-gate-0-0123456789abcdef"


class World:
    """A portal with one gateway of CoovaChilli, whose NAS listens on loopback."""

    def __init__(self, folder: Path, nas: Nas) -> None:
        self.clock, self.nas = MovingClock(), nas
        options = {"nas_address": "127.0.0.1", "coa_port": str(nas.port)}
        self.portal = ContractPortal(
            folder,
            "coovachilli",
            clock=self.clock,
            credential=CREDENTIAL,
            url="https://portal.example.org",
            options=options,
        )
        with self.portal.app.app_context():
            nas.secret = secret_of(self.portal.gateway, dynamic_authorization.SHARED_SECRET).encode()

    def let_in(
        self, client: Client = PHONE, *, seconds: int = 1800, is_reported: bool = True
    ) -> AccessSession:
        """A guest whose browser has carried the credentials, and whom the NAS has let in and reported."""
        access = self.portal.let_in(client, seconds=seconds)
        self.nas.hold(session_id(access), self.user(access))
        with self.portal.services.make_session.begin() as db:
            confirm_some(db, gateway_id=self.portal.gateway.id, numbers=[access.id], now=self.clock())
        if is_reported:
            self.report(access, Status.START)
        return access

    def user(self, access: AccessSession) -> str:
        with self.portal.app.app_context():
            return radius_credentials.user_of(self.portal.gateway, access.id, parse_mac(access.mac))

    def report(self, access: AccessSession, status: Status, **fields: Any) -> nas_sessions.Taken:
        """An Accounting-Request has come."""
        values: dict[str, Any] = {
            "status": status,
            "nas": "labgw",
            "session_id": session_id(access),
            "mac": parse_mac(access.mac),
            "address": ipaddress.ip_address(access.address),
            "number": access.id,
            "seconds": int((self.clock() - access.started_at).total_seconds()),
            "names": Names(
                nas_identifier="labgw",
                nas_address="10.99.0.2",
                user=self.user(access),
                station=access.mac.upper().replace(":", "-"),
            ),
        }
        record = Record(**{**values, **fields})
        with self.portal.services.make_session.begin() as db:
            gateway = db.scalars(select(Gateway).order_by(Gateway.id)).first()
            assert gateway is not None
            return nas_sessions.take(
                db, gateway=gateway, record=record, interim_seconds=300, now=self.clock()
            )

    def row(self, access: AccessSession) -> NasSession:
        of_this = select(NasSession).where(NasSession.acct_session_id == session_id(access))
        with self.portal.services.make_session() as db:
            return db.scalars(of_this).one()

    def is_behind(self) -> bool:
        with self.portal.services.make_session() as db:
            record = db.scalars(select(Gateway)).first()
            assert record is not None
            return record.confirmed_version < record.feed_version

    def dialogue(self) -> list[tuple[str, str]]:
        with self.portal.services.make_session() as db:
            kept = dialogues.recent(db, gateway_id=self.portal.gateway.id)
            return [(one.said, one.answered) for one in reversed(kept)]


def session_id(access: AccessSession) -> str:
    return f"17953735000000{access.id:04}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Where an answer is to come it takes a millisecond; where none is, nobody waits here for long.
    monkeypatch.setattr(dynamic_authorization, "IN_SWEEP", (0.2, 0.2))
    monkeypatch.setattr(dynamic_authorization, "ONCE", (0.2,))
    with radius_nas.listening() as nas:
        world = World(tmp_path, nas)
        yield world
        world.portal.close()


def released(world: World, access: AccessSession) -> datetime | None:
    return world.portal.lease(access).release_confirmed_at


def test_an_end_is_confirmed_when_the_nas_has_ended_it(world: World) -> None:
    access, other = world.let_in(), world.let_in(TABLET)
    world.portal.end(access)
    assert [session.user_name for session in world.nas.sessions.values()] == [world.row(other).user_name]
    assert released(world, access) == world.clock() and not world.is_behind()
    assert world.row(access).disconnected_at == world.clock()
    assert world.dialogue() == [(f"Disconnect-Request for session {access.id}", "ACK")]
    sent = world.nas.requests[0]
    assert sent["Calling-Station-Id"] == ["02-AA-BB-CC-DD-01"] and sent["NAS-Identifier"] == ["labgw"]


def test_an_end_at_a_nas_that_is_away_waits_and_is_there_in_the_first_round_after_its_return(
    world: World,
) -> None:
    access = world.let_in()
    world.nas.is_deaf = True
    world.portal.end(access)
    for _ in range(3):
        world.clock.advance(seconds=10)
        world.portal.sweep()
    assert world.nas.sessions and released(world, access) is None and world.is_behind()
    # Told once, not in every round.
    assert world.dialogue() == [(f"Disconnect-Request for session {access.id}", "no answer")]
    world.nas.is_deaf = False
    world.portal.sweep()
    assert not world.nas.sessions and released(world, access) == world.clock() and not world.is_behind()


def test_where_only_answers_are_lost_the_end_is_done_once_and_known_as_soon_as_one_comes(
    world: World,
) -> None:
    """A cut in one direction: the NAS has ended the session long before the portal hears of it."""
    access, other = world.let_in(), world.let_in(TABLET)
    world.nas.sending = radius_nas.lost
    world.portal.end(access)
    assert len(world.nas.sessions) == 1 and released(world, access) is None
    world.clock.advance(seconds=10)
    world.portal.sweep()
    assert released(world, access) is None
    world.nas.sending = radius_nas.as_it_is
    world.clock.advance(seconds=10)
    world.portal.sweep()
    # It says that it has no such session; which is what was wanted.
    assert released(world, access) == world.clock() and not world.is_behind()
    assert world.row(access).stopped_at == world.clock()
    assert [session.user_name for session in world.nas.sessions.values()] == [world.row(other).user_name]
    requests = [request["Acct-Session-Id"] for request in world.nas.requests]
    assert requests == [["179537350000000001"]] * len(requests) and len(requests) >= 3


def test_a_refusal_is_kept_with_its_words_until_the_nas_gives_in(world: World) -> None:
    access = world.let_in()
    world.nas.refuses_with = 501
    world.portal.end(access)
    assert world.portal.lease(access).release_refused == "administratively prohibited"
    assert released(world, access) is None and world.is_behind() and world.row(access).stopped_at is None
    world.nas.refuses_with = None
    world.clock.advance(seconds=10)
    world.portal.sweep()
    assert world.portal.lease(access).release_refused is None
    assert released(world, access) == world.clock() and not world.nas.sessions


def test_a_renewal_is_confirmed_when_the_nas_has_taken_the_new_end(world: World) -> None:
    world.portal.rules(renewal_seconds=600)
    access = world.let_in()
    world.clock.advance(minutes=25)
    world.report(access, Status.INTERIM)
    world.nas.is_deaf = True
    world.portal.renew(access, PHONE)
    assert world.portal.session(access).until == world.clock() + timedelta(minutes=35)
    assert not world.portal.is_confirmed(access) and world.is_behind()
    world.clock.advance(seconds=10)
    world.nas.is_deaf = False
    world.portal.sweep()
    assert world.portal.is_confirmed(access) and not world.is_behind()
    # From the session's start, as CoovaChilli counts.
    [held] = world.nas.sessions.values()
    assert held.timeout == 3600
    count = len(world.nas.requests)
    world.portal.notify()
    assert len(world.nas.requests) == count


def test_a_change_carries_the_rates_of_the_new_lease(world: World) -> None:
    world.portal.rules(renewal_seconds=600)
    access = world.let_in()
    world.clock.advance(minutes=25)
    world.portal.rules(rate_down_kbps=800, rate_up_kbps=400)
    world.portal.renew(access, PHONE)
    wispr = 14122
    sent = world.nas.requests[-1]
    assert sent.code == packet.CoARequest and world.portal.is_confirmed(access)
    assert [int.from_bytes(sent[(wispr, number)][0], "big") for number in (8, 7)] == [800_000, 400_000]


def test_a_renewal_of_a_session_that_the_nas_has_lost_is_left_to_the_guests_browser(world: World) -> None:
    world.portal.rules(renewal_seconds=600)
    access = world.let_in()
    world.clock.advance(minutes=25)
    world.nas.sessions.clear()
    world.portal.renew(access, PHONE)
    assert not world.portal.is_confirmed(access)
    assert world.row(access).stopped_at == world.clock()
    count = len(world.nas.requests)
    world.portal.sweep()
    assert len(world.nas.requests) == count


def test_a_session_of_which_the_nas_never_reported_is_ended_by_its_name(world: World) -> None:
    access = world.let_in(is_reported=False)
    world.portal.end(access)
    assert not world.nas.sessions and released(world, access) == world.clock()
    assert set(world.nas.requests[0].keys()) == {
        "User-Name",
        "Framed-IP-Address",
        "Message-Authenticator",
    }


def test_what_the_nas_has_stopped_by_itself_is_not_asked_for(world: World) -> None:
    access = world.let_in()
    world.report(access, Status.STOP, cause="User-Request")
    world.portal.end(access)
    assert not world.nas.requests and released(world, access) == world.clock() and not world.is_behind()


def test_reports_that_have_only_ceased_are_no_end(world: World) -> None:
    """The line was cut for an hour, while the device went on: the NAS is asked, and says itself what is."""
    access = world.let_in(seconds=7200)
    world.clock.advance(minutes=60)
    world.portal.sweep()
    assert world.row(access).stop_cause == LOST
    world.nas.is_deaf = True
    world.portal.end(access)
    assert released(world, access) is None and world.is_behind()
    world.nas.is_deaf = False
    world.portal.sweep()
    assert not world.nas.sessions and released(world, access) == world.clock() and not world.is_behind()


def test_a_report_confirms_no_renewal_that_the_nas_has_not_taken(world: World) -> None:
    """It passes by the end that it had before."""
    world.portal.rules(renewal_seconds=600)
    access = world.let_in()
    world.clock.advance(minutes=25)
    world.nas.refuses_with = 405
    world.portal.renew(access, PHONE)
    taken = world.report(access, Status.INTERIM)
    assert taken.is_news and taken.passing == ()


def test_a_session_that_goes_on_after_its_end_was_confirmed_is_ended_again_and_told(world: World) -> None:
    access = world.let_in()
    [(acct_session_id, held)] = world.nas.sessions.items()
    world.portal.end(access)
    assert released(world, access) is not None
    # A report that was on its way says nothing.
    world.clock.advance(seconds=5)
    world.report(access, Status.INTERIM)
    world.portal.notify()
    assert len(world.nas.requests) == 1
    world.nas.sessions[acct_session_id] = held
    world.nas.is_deaf = True
    world.clock.advance(minutes=5)
    world.report(access, Status.INTERIM)
    world.portal.sweep()
    assert released(world, access) is None and world.is_behind()
    world.nas.is_deaf = False
    world.portal.sweep()
    assert not world.nas.sessions and released(world, access) == world.clock()


def test_a_session_without_a_lease_is_found_within_a_minute_though_nothing_has_changed(world: World) -> None:
    """The Access-Accept was under way while the session ended."""
    access = world.let_in()
    world.clock.advance(seconds=60)
    world.report(access, Status.STOP, cause="User-Request")
    world.portal.end(access)
    world.portal.sweep()
    assert not world.nas.requests and not world.is_behind()
    world.nas.sessions.clear()
    world.nas.hold("another", world.user(access))
    world.report(access, Status.START, session_id="another", seconds=0)
    world.clock.advance(seconds=61)
    world.nas.is_deaf = True
    world.portal.sweep()
    assert world.is_behind() and released(world, access) is None
    world.nas.is_deaf = False
    world.portal.sweep()
    assert not world.nas.sessions and released(world, access) == world.clock()


def test_a_lease_that_is_over_is_the_nas_s_own_to_end_and_the_portal_s_if_it_does_not(world: World) -> None:
    access = world.let_in(seconds=600)
    world.clock.advance(seconds=610)
    world.portal.sweep()
    assert not world.nas.requests
    world.clock.advance(seconds=60)
    world.report(access, Status.INTERIM)
    world.portal.sweep()
    assert not world.nas.sessions


def test_a_nas_that_is_away_holds_up_no_other_guest(world: World) -> None:
    access = world.let_in()
    world.nas.is_deaf = True
    gateway = world.portal.gateway
    with world.portal.app.test_request_context():
        world.portal.end(access)
    sent = world.nas.datagrams
    with world.portal.app.test_request_context():
        for _ in range(5):
            dynamic_authorization.notify(gateway)
    # It was asked within the first guest's request, and is left to the sweep since.
    world.nas.is_deaf = False
    world.portal.sweep()
    assert not world.nas.sessions
    assert (sent, world.nas.datagrams) == (len(dynamic_authorization.IN_REQUEST), sent + 1)


def test_while_a_rotation_overlaps_the_nas_may_still_have_the_secret_of_before(world: World) -> None:
    access = world.let_in()
    with world.portal.services.make_session.begin() as db:
        record = db.scalars(select(Gateway)).one()
        rotate_credential(db, record, keep_old_until=world.clock() + timedelta(hours=1))
    world.portal.services.places.forget()
    world.portal.end(access)
    assert not world.nas.sessions and released(world, access) == world.clock()


def test_gateways_that_are_slow_do_not_hold_up_each_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answers once the other has been asked too."""
    monkeypatch.setattr(dynamic_authorization, "IN_SWEEP", (3.0,))
    both = threading.Barrier(2)

    def together(_request: packet.CoAPacket, answer: packet.CoAPacket) -> list[bytes]:
        try:
            both.wait(timeout=5)
        except threading.BrokenBarrierError:
            return []
        return [answer.ReplyPacket()]

    world.nas.sending = together
    access = world.let_in()
    with ExitStack() as stack:
        second = stack.enter_context(radius_nas.listening())
        second.sending = together
        with world.portal.services.make_session.begin() as db:
            first = db.scalars(select(Gateway)).one()
            record = make_gateway(
                "gate-1",
                first.site,
                first.network,
                kind="coovachilli",
                credential_digest=credential_digest("credential-of-gate-1"),
                client_prefixes=["10.67.0.0/24"],
                options={"nas_address": "127.0.0.1", "coa_port": str(second.port)},
            )
            db.add(record)
            db.flush()
            lease = db.scalars(select(Lease)).one()
            elsewhere = Lease(
                **{
                    column.name: getattr(lease, column.name)
                    for column in Lease.__table__.columns
                    if column.name not in ("id", "gateway_id")
                },
                gateway_id=record.id,
            )
            db.add(elsewhere)
        with world.portal.app.app_context():
            secret = secret_of(record, dynamic_authorization.SHARED_SECRET)
            second.secret = secret.encode()
            second.hold("1", radius_credentials.user_of(record, access.id, PHONE.mac))
        with world.portal.services.make_session.begin() as db:
            end.end(db, access.id, reason=EndReason.STAFF, now=world.clock())
        world.portal.sweep()
        with world.portal.services.make_session() as db:
            assert all(lease.release_confirmed_at for lease in db.scalars(select(Lease)))
        assert not world.nas.sessions and not second.sessions


def test_the_self_test_says_why_ends_would_not_arrive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamic_authorization, "SELF_TEST", (1.0,))
    access = world.let_in()
    gateway = world.portal.gateway

    def found() -> list[str]:
        with world.portal.app.app_context():
            return [finding_in_words(one) for one in dynamic_authorization.self_test(gateway)]

    with world.portal.app.test_request_context("/?lang=en"):
        assert found() == []
        world.nas.refuses_with = 501
        assert "(administratively prohibited)" in found()[0]
        world.nas.secret = b"another"
        [silent] = found()
        assert "127.0.0.1" in silent and str(world.nas.port) in silent
    assert session_id(access) in world.nas.sessions


@pytest.mark.parametrize(
    ("options", "nas_address", "to"),
    [
        ({"nas_address": "10.1.2.3"}, "", "10.1.2.3"),
        ({"nas_address": "10.1.2.0/24, 10.9.0.1"}, "10.1.2.77", "10.1.2.77"),
        # What the NAS claims counts only where the operator has said so.
        ({"nas_address": "10.1.2.3"}, "192.0.2.9", "10.1.2.3"),
        ({"nas_address": "10.1.2.3", "coa_address": "10.1.2.250"}, "10.1.2.3", "10.1.2.250"),
    ],
)
def test_requests_go_where_the_operator_says(options: dict[str, str], nas_address: str, to: str) -> None:
    gateway = Gateway(identity="gate-0", kind="coovachilli", options=options)
    session = LiveSession(user_name="guest", nas_address=nas_address)
    assert dynamic_authorization.address_of(gateway, session) == to


@pytest.mark.release
def test_looking_costs_as_much_more_as_there_are_more_sessions_and_not_their_square(world: World) -> None:
    """Each guest who signs in waits for it. Counted in steps of SQLite, since a clock would tell of the machine."""

    def steps() -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        with world.portal.services.make_session() as db:
            line = db.connection().connection.driver_connection
            assert line is not None
            line.set_progress_handler(step, 50)
            try:
                nas_changes.differences(
                    db, gateway_id=1, user_of=lambda number, _mac: str(number), now=world.clock()
                )
            finally:
                line.set_progress_handler(None, 0)
        return count

    def let_in(first: int, last: int) -> None:
        for number in range(first, last):
            address = ipaddress.ip_address(f"10.66.0.{number}")
            world.let_in(Client(parse_mac(f"02:aa:bb:cc:ee:{number:02x}"), (address,)))

    let_in(10, 50)
    few = steps()
    let_in(50, 210)
    assert steps() < 8 * few
