"""Packets that FreeRADIUS brings at one time: answered as each would be alone, with one commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from db.engine import SessionMaker, async_commit
from gateways.radius.credentials import Credentials
from gateways.types import MacAddress, parse_mac
from portal.gateway_api import asgi, radius_books, radius_together
from portal.gateway_api.asgi import GatewayDoor
from portal.gateway_api.followers import Followers
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.radius_calls import LARGEST_BODY
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.radius_queue import RadiusQueue, call_of
from portal.gateway_api.radius_together import ACCOUNTING, AUTHORIZE, Call
from portal.services import Services
from sessions import accounting, start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, Lease, NasSession
from sites.models import Gateway, SigninMethod
from tests import loops
from tests.clock import MovingClock
from tests.gateways.radius.packets import body
from tests.portal.uam_gateways import coovachilli_at_the_station
from tests.town import Town, make_client

GUESTS = 6


@pytest.fixture
def station(services: Services, town: Town) -> Gateway:
    return coovachilli_at_the_station(services, town)


@pytest.fixture
def guests(app: Flask, services: Services, station: Gateway) -> list[tuple[MacAddress, int, Credentials]]:
    """Devices that have signed in at the station: address, access session, and what their browsers carry."""
    made = []
    with services.make_session.begin() as db, app.app_context():
        for number in range(GUESTS):
            client = make_client(f"02:00:00:00:02:{number:02x}", f"10.66.0.{20 + number}")
            arrival = Arrival(db.get_one(Gateway, station.id), client, Acceptance("1", "fr", "0" * 64))
            allowance = Allowance(f"guest-{number}", SigninMethod.FREE, None, devices=1)
            access = start.open_access(db, arrival, allowance=allowance, now=services.clock()).access
            made.append((parse_mac(access.mac), access.id, credentials_of(station, access)))
    return made


def call(app: Flask, path: str, document: Any, *, gateway: str = "gw-viotte", token: str = "") -> Call:
    with app.app_context():
        found = app.extensions["arobase"].places.by_identity(gateway)
        return Call(path, f"Bearer {token or token_of(found)}", json.dumps(document).encode())


def asked(guest: tuple[MacAddress, int, Credentials], **more: Any) -> dict[str, Any]:
    mac, _, known = guest
    return body(**{"User_Name": known.user, "User_Password": known.secret, "Calling_Station_Id": mac} | more)


def told(
    guest: tuple[MacAddress, int, Credentials], status: str, seconds: int, down: int, **more: Any
) -> Any:
    mac, number, _ = guest
    named = {"Acct_Session_Id": f"s-{number}", "Calling_Station_Id": mac, "Class": b"arobase-%d" % number}
    named["Class"] = f"0x{f'arobase-{number}'.encode().hex()}"
    counted = {"Acct_Session_Time": seconds, "Acct_Output_Octets": down, "Acct_Input_Octets": 0}
    return body(Acct_Status_Type=status, **{**named, **counted, **more})


def together(app: Flask, calls: list[Call]) -> list[bytes | None]:
    with app.app_context():
        return radius_together.answer(calls)


def alone(app: Flask, one: Call) -> tuple[int, Any]:
    headers = {"Authorization": one.authorization, "Content-Type": "application/json"}
    answer = app.test_client().post(one.path, data=one.body, headers=headers)
    return answer.status_code, answer.get_json(silent=True)


def test_those_who_come_together_are_let_in_as_each_alone(
    own_app: None, app: Flask, services: Services, db: Session, guests: list[Any]
) -> None:
    calls = [call(app, AUTHORIZE, asked(guest)) for guest in guests]
    commits: list[object] = []
    event.listen(services.engine, "commit", commits.append)
    answers = together(app, calls)
    # That the gateway was heard, all leases, and one word for staff.
    assert len(commits) == 3
    assert [(200, json.loads(answer or b"")) for answer in answers] == [alone(app, one) for one in calls]
    assert [lease.confirmed_at for lease in db.scalars(select(Lease))] == [services.clock()] * GUESTS


def test_only_who_is_simply_let_in_is_answered_together(
    app: Flask, db: Session, station: Gateway, guests: list[Any]
) -> None:
    good, other = guests[0], guests[1]
    with app.app_context():
        battant = db.scalars(select(Gateway).where(Gateway.identity == "gw-battant")).one()
        elsewhere = credentials_of(battant, db.get_one(AccessSession, other[1]))
    db.rollback()
    calls = [
        call(app, AUTHORIZE, asked(good)),
        call(app, AUTHORIZE, asked(other, User_Password="Passw0rd")),
        call(app, AUTHORIZE, asked(other, Calling_Station_Id=good[0])),
        call(app, AUTHORIZE, asked(other, NAS_Identifier="gw-battant")),
        call(app, AUTHORIZE, asked(other, Arobase_Outcome="unsigned")),
        call(app, AUTHORIZE, asked(other, User_Name=["a", "b"])),
        call(app, AUTHORIZE, asked(other), gateway="gw-battant"),
        call(app, AUTHORIZE, asked((*other[:2], elsewhere)), gateway="gw-battant"),
        call(app, AUTHORIZE, asked(other), token="gw-viotte.no"),
        call(app, AUTHORIZE, body(User_Name=other[0], Calling_Station_Id=other[0]) | {"x": 5}),
        call(app, AUTHORIZE, []),
    ]
    answers = together(app, calls)
    assert answers[0] is not None and answers[1:] == [None] * 10
    assert [alone(app, one)[0] for one in calls[1:]] == [401] * 10
    assert db.scalars(select(Lease.access_id).where(Lease.confirmed_at.is_not(None))).all() == [good[1]]


def test_who_has_no_time_left_is_not_let_in_with_others(
    app: Flask, db: Session, clock: MovingClock, guests: list[Any]
) -> None:
    """Of a lease that ends within this second: the application says why, with the status that refuses."""
    ends = db.scalars(select(Lease.until)).first()
    assert ends is not None
    clock.now = ends - timedelta(seconds=0.5)
    late = call(app, AUTHORIZE, asked(guests[0]))
    assert together(app, [late]) == [None]
    assert alone(app, late)[0] == 401


def test_accounting_that_comes_together_counts_as_one_by_one(
    app: Flask, db: Session, guests: list[Any]
) -> None:
    for status, seconds, down in (("Start", 0, 0), ("Interim-Update", 60, 5_000), ("Stop", 90, 7_000)):
        calls = [
            call(app, ACCOUNTING, told(guest, status, seconds, down + place))
            for place, guest in enumerate(guests)
        ]
        assert together(app, calls) == [b""] * GUESTS
    assert [accounting.usage(db, number).bytes_down for _, number, _ in guests] == [
        7_000 + place for place in range(GUESTS)
    ]
    rows = db.scalars(select(NasSession).order_by(NasSession.id)).all()
    assert [(row.access_id, row.is_stop_told, row.seconds) for row in rows] == [
        (number, True, 90) for _, number, _ in guests
    ]


def test_what_comes_twice_at_one_time_counts_once(app: Flask, db: Session, guests: list[Any]) -> None:
    """A packet and its repeat, and a session from its beginning to its end, out of order."""
    one, other = guests[:2]
    calls = [
        call(app, ACCOUNTING, document)
        for document in (
            told(one, "Interim-Update", 60, 5_000),
            told(other, "Stop", 90, 7_000),
            told(one, "Interim-Update", 60, 5_000),
            told(other, "Start", 0, 0),
            told(other, "Interim-Update", 60, 6_000),
            told(other, "Stop", 90, 7_000),
        )
    ]
    assert together(app, calls) == [b""] * 6
    assert [accounting.usage(db, number).bytes_down for _, number, _ in (one, other)] == [5_000, 7_000]
    assert len(db.scalars(select(NasSession)).all()) == 2


def test_a_restart_is_taken_alone(app: Flask, db: Session, guests: list[Any]) -> None:
    begun = call(app, ACCOUNTING, told(guests[0], "Start", 0, 0))
    restart = call(app, ACCOUNTING, told(guests[1], "Accounting-On", 0, 0))
    assert together(app, [begun, restart]) == [b"", None]
    assert db.scalars(select(NasSession.stop_cause)).all() == [""]


def test_only_what_is_said_again_may_be_lost_in_a_power_cut(
    app: Flask, guests: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty: list[SessionMaker] = []

    def watched(make_session: SessionMaker, work: Callable[[Session], None]) -> None:
        hasty.append(make_session)
        async_commit(make_session, work)

    monkeypatch.setattr(radius_books, "async_commit", watched)
    interims = [call(app, ACCOUNTING, told(guest, "Interim-Update", 60, 5_000)) for guest in guests[:2]]
    stop = call(app, ACCOUNTING, told(guests[2], "Stop", 90, 7_000))
    assert together(app, [*interims, stop]) == [b""] * 3
    assert hasty == []
    assert together(app, interims) == [b""] * 2
    assert len(hasty) == 1


@pytest.fixture
def bad_session(services: Services) -> Iterator[str]:
    """An Acct-Session-Id that the database refuses."""
    on_sqlite = (
        "CREATE TRIGGER refuse BEFORE INSERT ON nas_sessions WHEN NEW.acct_session_id = 'bad' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    on_postgresql = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON nas_sessions FOR EACH ROW "
        "WHEN (NEW.acct_session_id = 'bad') EXECUTE FUNCTION refuse()",
    )
    is_postgres = services.engine.dialect.name == "postgresql"
    with services.engine.begin() as connection:
        for statement in on_postgresql if is_postgres else on_sqlite:
            connection.execute(text(statement))
    yield "bad"
    with services.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION refuse CASCADE" if is_postgres else "DROP TRIGGER refuse"))


def test_one_that_cannot_be_stored_keeps_no_other_from_the_books(
    app: Flask, db: Session, guests: list[Any], bad_session: str
) -> None:
    """None of them is answered together then, and nothing was written; alone, each is what it is."""
    calls = [call(app, ACCOUNTING, told(guest, "Interim-Update", 60, 5_000)) for guest in guests]
    calls[2] = call(
        app, ACCOUNTING, told(guests[2], "Interim-Update", 60, 5_000, Acct_Session_Id=bad_session)
    )
    assert together(app, calls) == [None] * GUESTS
    assert db.scalars(select(NasSession)).all() == []
    db.rollback()
    assert [alone(app, one)[0] for one in calls] == [204, 204, 500, 204, 204, 204]


def test_the_door_answers_those_who_come_at_one_time_in_one_go(
    own_app: None, app: Flask, services: Services, guests: list[Any]
) -> None:
    """Each is told what is its own; what cannot be answered together is the application's, and so is its word."""
    calls = [call(app, AUTHORIZE, asked(guest)) for guest in guests]
    wrong = call(app, AUTHORIZE, asked(guests[0], User_Password="Passw0rd"))
    large = Call(AUTHORIZE, wrong.authorization, json.dumps(body(User_Name="x" * 200_000)).encode())
    report = call(app, ACCOUNTING, told(guests[0], "Start", 0, 0))
    commits: list[object] = []
    event.listen(services.engine, "commit", commits.append)
    answers = through_the_door(app, services, [*calls, wrong, large, report])
    assert [status for status, _ in answers] == [200] * GUESTS + [401, 413, 204]
    numbers = [json.loads(text)["reply:Class"]["value"][0] for _, text in answers[:GUESTS]]
    assert numbers == [f"arobase-{number}" for _, number, _ in guests]
    # Heard, the leases, what staff may read of both, and the report.
    assert len(commits) <= 5


def test_a_gateway_that_asks_more_than_freeradius_does_is_told_to_wait(
    app: Flask, services: Services, guests: list[Any]
) -> None:
    calls = [call(app, AUTHORIZE, asked(guests[0]))] * (asgi.QUEUE_OF_ONE + 3)
    statuses = [status for status, _ in through_the_door(app, services, calls)]
    assert sorted(statuses) == [200] * asgi.QUEUE_OF_ONE + [429] * 3


def test_all_that_freeradius_asks_at_one_time_is_one_group(
    app: Flask, services: Services, guests: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    answer = radius_together.answer

    def counted(calls: Sequence[Call]) -> list[bytes | None]:
        groups.append(len(calls))
        return answer(calls)

    monkeypatch.setattr(radius_together, "answer", counted)
    through_the_door(app, services, [call(app, AUTHORIZE, asked(guests[0]))] * asgi.QUEUE_OF_ONE)
    assert groups == [asgi.QUEUE_OF_ONE]


def test_what_is_not_a_guests_packet_is_the_applications() -> None:
    def scope(path: str = AUTHORIZE, method: str = "POST", query: bytes = b"", **more: str) -> dict[str, Any]:
        headers = {"content-type": "application/json", "authorization": "Bearer x"} | more
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return {"path": path, "method": method, "query_string": query, "headers": pairs}

    assert call_of(scope(), b"{}") == Call(AUTHORIZE, "Bearer x", b"{}")
    for other in (
        scope(x_freeradius_server="arobase-device"),
        scope(path=f"{AUTHORIZE}/"),
        scope(method="GET"),
        scope(query=b"a=b"),
        scope(**{"content-type": "text/plain"}),
    ):
        assert call_of(other, b"{}") is None
    assert call_of(scope(), b" " * (LARGEST_BODY + 1)) is None


def through_the_door(app: Flask, services: Services, calls: list[Call]) -> list[tuple[int, bytes]]:
    """What the door of the gateways' server answers to calls that come at one time."""
    followers = Followers(services.make_session, services.wake, services.places.keep_fresh)
    door = GatewayDoor(app, followers, RadiusQueue(app))

    async def ask(one: Call) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": one.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else await asyncio.Future()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = {"authorization": one.authorization, "content-type": "application/json"}
        scope = {
            "type": "http",
            "method": "POST",
            "path": one.path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await door(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    async def ask_all() -> list[tuple[int, bytes]]:
        return await asyncio.gather(*map(ask, calls))

    return loops.run(ask_all())
