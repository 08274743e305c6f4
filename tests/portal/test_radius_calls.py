"""What FreeRADIUS asks over HTTP: hostile packets, foreign callers, and what is told to staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.entitlements import Allowance
from gateways.radius.credentials import Credentials
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.services import Services
from sessions import accounting, start
from sessions.arrival import Acceptance, Arrival
from sessions.gateway_health import dialogues
from sessions.models import Lease, NasSession
from sites.gateways import rotate_credential
from sites.models import Gateway, SigninMethod
from tests.clock import MovingClock
from tests.gateways.radius.packets import body
from tests.portal.conftest import PORTAL
from tests.portal.uam_gateways import coovachilli_at_the_station
from tests.town import ADA_PHONE, Town, credential_of, make_client

CALLS = ("authorize", "post-auth", "accounting")
HOSTILE = (
    "' OR '1'='1",
    '"; DROP TABLE nas_sessions; --',
    "a\r\nX: y",
    "<script>alert(1)</script>",
    "x" * 5000,
    "%{User-Password}",
    "\u0000",
    "é\ud800",
    -1,
    2**70,
    1e400,
    None,
    True,
    ["a", "b"],
    [],
    [[]],
    {"op": ":="},
)


@pytest.fixture
def station(services: Services, town: Town) -> Gateway:
    return coovachilli_at_the_station(services, town)


@pytest.fixture
def carried(app: Flask, services: Services, station: Gateway) -> Credentials:
    """Ada has signed in at the station; what her browser carries."""
    with services.make_session.begin() as db:
        arrival = Arrival(db.get_one(Gateway, station.id), make_client(), Acceptance("1", "fr", "0" * 64))
        allowance = Allowance("ada", SigninMethod.FREE, None, devices=1)
        access = start.open_access(db, arrival, allowance=allowance, now=services.clock()).access
        with app.app_context():
            return credentials_of(station, access)


def ask(app: Flask, call: str, document: Any, *, token: str | None = None) -> TestResponse:
    with app.app_context():
        found = app.extensions["arobase"].places.by_identity("gw-viotte")
        bearer = token_of(found) if token is None else token
    headers = {"Authorization": f"Bearer {bearer}", "User-Agent": "FreeRADIUS 3.2.1"}
    url = f"/gateways/radius/v1/{call}"
    return app.test_client().post(url, base_url=PORTAL, json=document, headers=headers)


def request_of(carried: Credentials, **more: Any) -> dict[str, Any]:
    named = {"User_Name": carried.user, "User_Password": carried.secret, "Calling_Station_Id": ADA_PHONE}
    return body(**{**named, **more})


def test_a_session_is_let_in_with_the_time_that_is_left(
    app: Flask, db: Session, clock: MovingClock, carried: Credentials
) -> None:
    clock.advance(seconds=600)
    answer = ask(app, "authorize", request_of(carried))
    assert answer.status_code == 200
    assert answer.get_json()["reply:Session-Timeout"] == 1200
    assert answer.get_json()["control:Cleartext-Password"] == {"do_xlat": False, "value": [carried.secret]}
    assert db.scalars(select(Lease)).one().confirmed_at == clock()
    # A second before the end there is a second; then there is nothing.
    clock.advance(seconds=1199)
    assert ask(app, "authorize", request_of(carried)).get_json()["reply:Session-Timeout"] == 1
    clock.advance(seconds=1)
    assert ask(app, "authorize", request_of(carried)).status_code == 401


@pytest.mark.parametrize("call", CALLS)
def test_nobody_asks_without_the_token_of_a_gateway_that_speaks_radius(
    app: Flask, services: Services, station: Gateway, call: str
) -> None:
    with app.app_context():
        own = token_of(station)
        battant = services.places.by_identity("gw-battant")
        bayle = services.places.by_identity("gw-bayle")
        assert battant is not None and bayle is not None
        others = [
            "",
            "gw-viotte",
            "gw-viotte.",
            own[:-1],
            own + "a",
            f"gw-viotte.{token_of(battant).partition('.')[2]}",
            # Of a Linux gateway, which speaks no RADIUS.
            token_of(bayle),
            credential_of("gw-viotte"),
            "nowhere." + own.partition(".")[2],
            "gw-viotte.é",
        ]
    for token in others:
        assert ask(app, call, body(), token=token).status_code == 401, token
    # A credential of the gateway itself opens none of this, and this opens nothing else.
    headers = {"Authorization": f"Bearer {own}"}
    answer = app.test_client().get("/gateways/nftables/feed", base_url=PORTAL, headers=headers)
    assert answer.status_code == 401


def test_a_token_of_before_the_rotation_holds_while_that_overlaps(
    app: Flask, services: Services, clock: MovingClock, station: Gateway
) -> None:
    with app.app_context():
        old = token_of(station)
    with services.make_session.begin() as db:
        record = db.get_one(Gateway, station.id)
        rotate_credential(db, record, keep_old_until=clock() + timedelta(hours=1))
    services.places.forget()
    assert ask(app, "accounting", body(Acct_Status_Type="Accounting-On"), token=old).status_code == 204
    clock.advance(hours=1)
    assert ask(app, "accounting", body(Acct_Status_Type="Accounting-On"), token=old).status_code == 401


@pytest.mark.parametrize("call", CALLS)
def test_hostile_packets_are_refused_or_kept_as_text(
    app: Flask, db: Session, carried: Credentials, call: str
) -> None:
    base = request_of(
        carried,
        Acct_Status_Type="Interim-Update",
        Acct_Session_Id="0001",
        Acct_Session_Time=60,
        Acct_Output_Octets=1000,
        Acct_Input_Octets=10,
        Event_Timestamp="Nov 24 2026 11:00:00 UTC",
        Framed_IP_Address="10.66.0.5",
        Class="0x6c6162",
        NAS_Identifier="box",
        NAS_IP_Address="10.1.2.3",
        Service_Type="Login-User",
        Acct_Terminate_Cause="User-Request",
    )
    for name in base:
        for value in HOSTILE:
            packet = {
                **base,
                name: {"type": "string", "value": value if isinstance(value, list) else [value]},
            }
            status = ask(app, call, packet).status_code
            assert status in (200, 204, 400, 401), (name, value, status)
        assert ask(app, call, {key: entry for key, entry in base.items() if key != name}).status_code < 500
    for document in ([], "text", 5, None, {"User-Name": 5}, {"a": {"value": [[[[[[]]]]]]}}):
        assert ask(app, call, document).status_code in (204, 400, 401)
    kept = db.scalars(select(NasSession)).all()
    assert bool(kept) is (call == "accounting")
    assert all("\n" not in row.acct_session_id and len(row.acct_session_id) <= 253 for row in kept)


def test_a_body_that_no_packet_makes_is_refused(app: Flask, station: Gateway) -> None:
    large = body(User_Name="x" * 200_000)
    assert ask(app, "authorize", large).status_code == 413


def test_accounting_is_acknowledged_whatever_it_says(app: Flask, station: Gateway) -> None:
    # As a server writes it that has not our dictionary.
    view = {"Attr-26.14559.10": {"type": "octets", "value": ["0x00000002"]}}
    for document in (
        body(Acct_Status_Type="Stop", Acct_Session_Id="of nobody"),
        body(Acct_Status_Type="Stop", Acct_Session_Id="viewed", Acct_Output_Octets=5) | view,
        body(Acct_Status_Type="Accounting-Off"),
        body(Acct_Status_Type="Tunnel-Start"),
        body(Acct_Status_Type="Start"),
        body(),
        [],
    ):
        assert ask(app, "accounting", document).status_code == 204


def test_what_another_gateway_calls_itself_is_refused(
    own_app: None, app: Flask, db: Session, carried: Credentials, station: Gateway
) -> None:
    for call in CALLS:
        packet = request_of(carried, Acct_Status_Type="Start", NAS_Identifier="gw-battant")
        assert ask(app, call, packet).status_code == 401
    said = [one.said for one in dialogues.recent(db, gateway_id=station.id)]
    assert any("gw-battant" in one for one in said)
    # A name that nobody has been given says nothing.
    assert ask(app, "authorize", request_of(carried, NAS_Identifier="chilli")).status_code == 200


def test_no_secret_is_told_to_staff(
    own_app: None, app: Flask, db: Session, carried: Credentials, station: Gateway
) -> None:
    ask(app, "authorize", request_of(carried, User_Password="Passw0rd"))
    ask(app, "authorize", request_of(carried))
    ask(app, "authorize", request_of(carried, Arobase_Outcome="unsigned"))
    told = " ".join(f"{one.said} {one.answered}" for one in dialogues.recent(db, gateway_id=station.id))
    assert "wrong password" in told and "accepted" in told and "Message-Authenticator" in told
    assert "Passw0rd" not in told and carried.secret not in told


def test_a_box_without_class_counts_by_the_user_and_one_without_that_by_the_device(
    app: Flask, db: Session, carried: Credentials
) -> None:
    named = {"Acct_Status_Type": "Interim-Update", "Acct_Session_Time": 0, "Acct_Input_Octets": 0}
    by_user = body(User_Name=carried.user, Acct_Session_Id="1", Acct_Output_Octets=700, **named)
    by_mac = body(Calling_Station_Id=ADA_PHONE, Acct_Session_Id="2", Acct_Output_Octets=50, **named)
    assert [ask(app, "accounting", one).status_code for one in (by_user, by_mac)] == [204, 204]
    rows = db.scalars(select(NasSession).order_by(NasSession.id)).all()
    assert [row.access_id for row in rows] == [1, 1]
    assert accounting.usage(db, 1).bytes_down == 750


def test_whose_view_the_counters_have_is_told_or_set(
    app: Flask, db: Session, services: Services, carried: Credentials, station: Gateway
) -> None:
    views = iter(range(10))

    def up_and_down(**more: Any) -> tuple[int, int]:
        session = f"view-{next(views)}"
        counted = {"Acct_Input_Octets": 1000, "Acct_Output_Octets": 20, "Acct_Session_Time": 9}
        packet = request_of(carried, Acct_Status_Type="Stop", Acct_Session_Id=session, **counted)
        assert ask(app, "accounting", packet | body(**more)).status_code == 204
        db.rollback()
        row = db.scalars(select(NasSession).where(NasSession.acct_session_id == session)).one()
        return row.bytes_up, row.bytes_down

    assert up_and_down() == (1000, 20)
    assert up_and_down(ChilliSpot_Acct_View_Point=2) == (20, 1000)
    assert up_and_down(ChilliSpot_Acct_View_Point=1) == (1000, 20)
    with services.make_session.begin() as writing:
        record = writing.get_one(Gateway, station.id)
        record.options = {**record.options, "counts_by": "client"}
    services.places.forget()
    assert up_and_down(ChilliSpot_Acct_View_Point=1) == (20, 1000)
