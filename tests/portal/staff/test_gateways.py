"""How the gateways do: the page, the command line and the operator's watch say the same."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from auth.audit.actions import GATEWAY_SECRETS_SHOWN
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from gateways.faults import Fault, FaultCode, read_faults
from gateways.kinds import Learning
from gateways.registry import kind_of
from gateways.types import parse_mac
from portal.gateway_api import dynamic_authorization, notify_gateway, radius_credentials
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.secrets import secret_of
from portal.i18n.gateway_capabilities import capabilities_in_words
from portal.i18n.gateway_distance import distance_in_words
from portal.i18n.gateway_faults import fault_in_words
from portal.services import Services
from sessions import accounting, end, feed
from sessions.accounting import UsageReport
from sessions.gateway_health import dialogues
from sessions.gateway_health.distance import Distance
from sessions.gateway_health.overview import StaleSessions, look
from sessions.models import EndReason, Lease, Mismatch, MismatchKind, Outage, Remedy
from sites.checks import GatewayState
from sites.models import Gateway
from tests import radius_nas
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.gateways.radius.packets import body
from tests.portal.conftest import PORTAL
from tests.portal.languages import WHOLE
from tests.portal.staff.conftest import PASSWORD, Desk
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, BO_PHONE, Town


@pytest.fixture
def station(services: Services, clock: MovingClock, town: Town) -> Gateway:
    """The station's gateway: it holds a stranger and not whom it should, is behind, and five seconds ahead."""
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, town.station.id)
        first = enter(db, gateway)
        version = feed.read(db, gateway_id=gateway.id, since=0, now=clock()).version
        feed.confirm(db, gateway_id=gateway.id, version=version, refused={}, now=clock())
        clock.advance(seconds=20)
        for sequence in (1, 2):
            report = UsageReport("one", sequence, clock().timestamp() + 5, (), (4711,), {"spoofed": 3})
            accounting.record(db, gateway=gateway, report=report, now=clock())
        end.end(db, first.id, reason=EndReason.LEFT, now=clock())
        clock.advance(seconds=30)
        return gateway


def health(services: Services, gateway: Gateway, clock: MovingClock) -> Any:
    with services.make_session() as db:
        return next(one for one in look(db, now=clock()) if one.id == gateway.id)


def test_it_tells_lag_age_clock_drift_and_refusals(
    services: Services, station: Gateway, clock: MovingClock
) -> None:
    one = health(services, station, clock)
    assert (one.check.lag, one.unconfirmed_since) == (1, timedelta(seconds=30))
    assert one.check.clock_offset == 5.0
    assert (one.missing, one.surplus) == (1, 1)
    assert one.refused == {"spoofed": 3}
    assert one.verdict is GatewayState.BEHIND


def test_a_gateway_that_would_be_well_but_for_a_drift_is_drifting(
    services: Services, station: Gateway, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, station.id)
        gateway.confirmed_version = gateway.feed_version
        gateway.health = {**gateway.health, "clock_offset": 0.0}
    assert health(services, station, clock).verdict is GatewayState.DRIFTING


def test_zombies_are_counted_by_when_they_were_closed(
    services: Services, station: Gateway, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        for number, (days, remedy) in enumerate(
            ((0.5, Remedy.CLOSED), (3, Remedy.CLOSED), (90, Remedy.CLOSED), (1, Remedy.TOLD_AGAIN))
        ):
            at = clock() - timedelta(days=days)
            values = {"since": at, "last_at": at, "reports": 6, "settled_at": at, "remedy": remedy}
            db.add(Mismatch(gateway_id=station.id, number=100 + number, kind=MismatchKind.MISSING, **values))
    one = health(services, station, clock)
    assert (one.zombies, one.sent_again) == (StaleSessions(1, 2, 3), 1)


def test_the_page_shows_ones_own_networks_alone(
    services: Services, desk: Desk, station: Gateway, town: Town
) -> None:
    clerk = desk.at_work("nour", Role.NETWORK, networks=(town.library.slug,))
    page = clerk.get("/staff/gateways").get_data(as_text=True)
    assert "gw-bayle" in page
    assert "gw-viotte" not in page
    assert clerk.get("/staff/gateways/gw-viotte").status_code == 404
    assert clerk.get("/staff/gateways/no-such-gateway").status_code == 404


def test_one_gateways_page_tells_its_silences_and_its_health(
    services: Services, desk: Desk, station: Gateway, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        since = clock() - timedelta(hours=5)
        db.add(Outage(gateway_id=station.id, since=since, until=since + timedelta(minutes=65)))
        db.add(Outage(gateway_id=station.id, since=clock() - timedelta(minutes=12)))
    clerk = desk.at_work("nour", Role.NETWORK)
    page = clerk.get("/staff/gateways/gw-viotte").get_data(as_text=True)
    assert "1 h 05" in page
    assert "still silent, for 12 min" in page
    assert "+5.0 s" in page
    assert "sent under an address that is not theirs" in page


@pytest.fixture
def faulty(services: Services, clock: MovingClock, town: Town) -> Gateway:
    """The station's gateway says that Docker drops its clients' packets, and something this portal does not know."""
    faults = read_faults([{"code": "blocked4", "detail": "ip filter FORWARD"}, {"code": "haunted"}])
    report = UsageReport("one", 1, clock().timestamp(), (), (), {}, faults=faults)
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, town.station.id)
        accounting.record(db, gateway=gateway, report=report, now=clock())
        return gateway


def test_what_a_gateway_says_is_wrong_with_it_is_told_everywhere(
    app: Flask, services: Services, desk: Desk, faulty: Gateway, clock: MovingClock
) -> None:
    assert health(services, faulty, clock).verdict is GatewayState.FAULTY
    clerk = desk.at_work("nour", Role.NETWORK)
    assert "something is wrong there" in clerk.get("/staff/gateways").get_data(as_text=True)
    page = clerk.get("/staff/gateways/gw-viotte").get_data(as_text=True)
    answer = app.test_cli_runner().invoke(args=["gateways", "check"])
    assert answer.exit_code == 1
    for text in (page, answer.output):
        assert "other rules on that machine drop their packets" in text
        assert "(ip filter FORWARD)" in text
        assert "A fault that this portal has no words for yet: haunted." in text
    watch = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert 'arobase_gateway_faults{gateway="gw-viotte"} 2.0' in watch.get_data(as_text=True)


def test_it_is_well_again_when_it_says_so(services: Services, faulty: Gateway, clock: MovingClock) -> None:
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, faulty.id)
        report = UsageReport("one", 2, clock().timestamp(), (), (), {}, faults=())
        accounting.record(db, gateway=gateway, report=report, now=clock())
    assert health(services, faulty, clock).verdict is GatewayState.WELL


def test_there_are_words_for_every_fault_in_every_language(app: Flask) -> None:
    for language in WHOLE:
        with app.test_request_context(f"/?lang={language}"):
            for code in FaultCode:
                assert "no words" not in fault_in_words(Fault(code))
                assert "nommer" not in fault_in_words(Fault(code))


def test_the_command_line_says_the_same(app: Flask, station: Gateway) -> None:
    answer = app.test_cli_runner().invoke(args=["gateways", "check"])
    assert answer.exit_code == 1
    line = next(line for line in answer.output.splitlines() if line.startswith("gw-viotte\t"))
    assert "1 behind for 30 s" in line
    assert "clock +5.0 s" in line
    assert "1 missing, 1 surplus" in line


def test_the_operators_watch_has_it_by_gateway_and_names_no_client(
    app: Flask, services: Services, station: Gateway
) -> None:
    page = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_data(as_text=True)
    for gauge, value in (
        ("missing", "1.0"),
        ("surplus", "1.0"),
        ("behind_seconds", "30.0"),
        ("clock_offset_seconds", "5.0"),
        ("outage", "0.0"),
        ("zombies_closed", "0.0"),
    ):
        assert f'arobase_gateway_{gauge}{{gateway="gw-viotte"}} {value}' in page
    with services.make_session() as db:
        assert db.scalars(select(Lease.mac)).all() == [ADA_PHONE]
    assert ADA_PHONE not in page
    assert not re.search(r"[0-9]+(\.[0-9]+){3}", page)


def test_the_ill_ones_stand_first(services: Services, desk: Desk, clock: MovingClock, town: Town) -> None:
    """Fifty gateways do not hide the one that is silent."""
    with services.make_session.begin() as db:
        for gateway in db.scalars(select(Gateway)):
            gateway.seen_at = clock()
        db.get_one(Gateway, town.station.id).seen_at = clock() - timedelta(hours=1)
    page = desk.at_work("noor", Role.NETWORK).get("/staff/gateways").text
    listed = re.findall(r'href="/staff/gateways/([^"?]+)"', page)
    assert len(listed) > 1 and listed[0] == town.station.identity and listed != sorted(listed)


def test_what_each_kind_can_do_is_told_on_the_pages_and_by_the_command_line(
    app: Flask, services: Services, desk: Desk, town: Town
) -> None:
    clerk = desk.at_work("nour", Role.NETWORK)
    pages = [clerk.get(f"/staff/gateways{one}").text for one in ("", "/gw-viotte")]
    commands = [
        app.test_cli_runner().invoke(args=["gateways", one]).output for one in ("check", "list", "kinds")
    ]
    with app.test_request_context("/?lang=en"):
        answer = capabilities_in_words(kind_of("nftables").capabilities)
    for text in (*map(html.unescape, pages), *commands):
        for sentence in answer:
            assert sentence in text


def test_there_are_words_for_whatever_a_kind_may_say_of_itself(app: Flask) -> None:
    can = kind_of("fake").capabilities
    every = [replace(can, learns=one) for one in Learning]
    every += [replace(can, learns=Learning.CARRIED, revokes=False)]
    every += [replace(can, ends_by_itself=False), replace(can, finest_seconds=60)]
    every += [replace(can, finest_seconds=60, revokes=False), replace(can, extends=False)]
    every += [
        replace(
            can, limits_rates=True, limits_volume=True, accounts=True, reports_presence=True, is_heard=True
        )
    ]
    answer: dict[str, set[str]] = {}
    for language in WHOLE:
        with app.test_request_context(f"/?lang={language}"):
            answer[language] = {sentence for each in every for sentence in capabilities_in_words(each)}
    assert len({len(sentences) for sentences in answer.values()}) == 1
    assert not set.intersection(*answer.values())


def test_a_record_of_a_newer_version_is_told_and_serves_nobody(
    app: Flask, services: Services, desk: Desk, town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Gateway).where(Gateway.id == town.station.id).values(kind="turnstile"))
    services.places.forget()
    assert services.places.by_identity("gw-viotte") is None
    assert "gw-viotte (turnstile)" in caplog.text
    page = desk.at_work("nour", Role.NETWORK).get("/staff/gateways/gw-viotte").text
    assert "a kind that this version does not know" in page


def test_staff_is_told_where_access_cannot_be_taken_back(
    services: Services, desk: Desk, clock: MovingClock, town: Town
) -> None:
    with made_up.added():
        with services.make_session.begin() as db:
            gateway = db.get_one(Gateway, town.station.id)
            gateway.kind = "hourglass"
            number = enter(db, gateway).id
        services.places.forget()
        clerk = desk.at_work("nour", Role.NETWORK)
        asked = html.unescape(clerk.get(f"/staff/sessions/{number}/end").text)
        assert "Its gateway cannot take access back" in asked
        clerk.press(f"/staff/sessions/{number}/end")
        answer = clerk.get(f"/staff/sessions/{number}").text
        assert "Ended in the books; its gateway cannot take access back." in answer
        assert "has confirmed the end" not in answer


def test_staff_is_told_where_a_gateway_learns_of_an_end_when_it_asks_anew(
    app: Flask, services: Services, desk: Desk, town: Town
) -> None:
    """pfSense listens for no request, and asks again each minute where the operator has ticked that."""
    options = {"nas_address": "10.1.2.3", "login_hosts": "10.1.0.1:8002"}
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, town.station.id)
        gateway.kind, gateway.options = "pfsense", {**options, "reauthenticates": "yes"}
        number = enter(db, gateway).id
    services.places.forget()
    with app.app_context():
        user = radius_credentials.user_of(gateway, number, parse_mac(ADA_PHONE))
        headers = {"Authorization": f"Bearer {token_of(gateway)}"}
    clerk = desk.at_work("nour", Role.NETWORK)
    page = html.unescape(clerk.get(f"/staff/sessions/{number}/end").text)
    assert "asks about the device every 60 seconds" in page and "cannot take access back" not in page
    clerk.press(f"/staff/sessions/{number}/end")
    assert "its gateway is told when it asks next" in clerk.get(f"/staff/sessions/{number}").text
    asked = body(User_Name=user, User_Password="pw", Calling_Station_Id=ADA_PHONE)
    url = "/gateways/radius/v1/authorize"
    assert app.test_client().post(url, base_url=PORTAL, json=asked, headers=headers).status_code == 401
    with services.make_session.begin() as db:
        db.get_one(Gateway, town.station.id).options = options
    services.places.forget()
    assert "its gateway cannot take access back" in clerk.get(f"/staff/sessions/{number}").text


def test_staff_reads_what_has_become_of_an_end_at_a_gateway_that_is_asked_by_radius(
    app: Flask, services: Services, desk: Desk, town: Town
) -> None:
    """Refused is not done, and no answer is neither."""
    clerk = desk.at_work("nour", Role.NETWORK)
    with radius_nas.listening() as nas:
        with services.make_session.begin() as db:
            gateway = db.get_one(Gateway, town.station.id)
            gateway.kind = "coovachilli"
            gateway.options = {"nas_address": "127.0.0.1", "coa_port": str(nas.port)}
            number = enter(db, gateway).id
            confirm_some(db, gateway_id=gateway.id, numbers=[number], now=services.clock())
        services.places.forget()
        with app.app_context():
            nas.secret = secret_of(gateway, dynamic_authorization.SHARED_SECRET).encode()
            nas.hold("1", radius_credentials.user_of(gateway, number, parse_mac(ADA_PHONE)))
        nas.refuses_with = 501
        clerk.get(f"/staff/sessions/{number}/end")
        clerk.press(f"/staff/sessions/{number}/end")
        answer = html.unescape(clerk.follow().text)
        assert "Ended in the books; the gateway refuses to end it there." in answer
        assert "gw-viotte says: its settings forbid it." in answer
        assert "has confirmed the end" not in answer
        nas.refuses_with = None
        with app.app_context():
            notify_gateway(gateway)
        assert not nas.sessions
        assert "The gateway has confirmed the end" in clerk.get(f"/staff/sessions/{number}").text


@pytest.mark.parametrize("paper", ["a4", "a3"])
def test_a_gateways_page_leads_to_the_poster_for_its_door(
    desk: Desk, station: Gateway, town: Town, paper: str
) -> None:
    clerk = desk.at_work("noor", Role.NETWORK)
    page = clerk.get("/staff/gateways/gw-viotte").get_data(as_text=True)
    (address,) = re.findall(rf'href="(/staff/gateways/gw-viotte/poster/{paper})[?"]', page)
    answer = clerk.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == f'inline; filename="wifi-gare-viotte-{paper}.pdf"'
    assert answer.data.startswith(b"%PDF-")
    assert clerk.get("/staff/gateways/nothing/poster/a4").status_code == 404
    assert clerk.get("/staff/gateways/gw-viotte/poster/a9").status_code == 404


@pytest.fixture
def hourglass(services: Services, town: Town) -> Iterator[Gateway]:
    """The station's gateway is of a made-up kind, in whose box a secret stands."""
    with made_up.added():
        with services.make_session.begin() as db:
            gateway = db.get_one(Gateway, town.station.id)
            gateway.kind = "hourglass"
        services.places.forget()
        yield gateway


def test_a_gateways_secrets_are_shown_for_the_password_and_on_record(
    services: Services, desk: Desk, clock: MovingClock, town: Town, hourglass: Gateway
) -> None:
    clerk = desk.at_work("nour", Role.NETWORK)
    clock.advance(minutes=11)
    page = clerk.get("/staff/gateways/gw-viotte/setup").text
    assert "secret ********" in page and "portal https://portal.example.org" in page
    assert not re.search(r"[a-z2-7]{30}", page)
    asked = clerk.press("/staff/gateways/gw-viotte/setup")
    assert "Type your password once more" in asked.text and not re.search(r"secret [a-z2-7]", asked.text)
    shown = clerk.press("/staff/gateways/gw-viotte/setup", password_of_now=PASSWORD)
    assert re.search(r"secret [a-z2-7]{52}\n", shown.text) and "********" not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    with services.make_session() as db:
        looks = db.scalars(select(AuditEntry).where(AuditEntry.action == GATEWAY_SECRETS_SHOWN.key)).all()
    assert [(one.object, one.network) for one in looks] == [("gateway:gw-viotte", town.free.slug)]


def test_setting_up_is_for_ones_own_networks(desk: Desk, town: Town) -> None:
    clerk = desk.at_work("nour", Role.NETWORK, networks=(town.library.slug,))
    assert clerk.get("/staff/gateways/gw-bayle/setup").status_code == 200
    assert clerk.get("/staff/gateways/gw-viotte/setup").status_code == 404
    assert clerk.get("/staff/gateways/no-such-gateway/setup").status_code == 404


def test_a_kind_without_lines_and_one_that_is_unknown(services: Services, desk: Desk, town: Town) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Gateway).where(Gateway.id == town.station.id).values(kind="fake"))
        db.execute(update(Gateway).where(Gateway.id == town.battant.id).values(kind="turnstile"))
    clerk = desk.at_work("nour", Role.NETWORK)
    page = clerk.get("/staff/gateways/gw-viotte/setup").text
    assert "It needs none." in page and "Nothing: all that should come from it has come." in page
    assert clerk.get("/staff/gateways/gw-battant/setup").status_code == 404
    assert "/setup" not in clerk.get("/staff/gateways/gw-battant").text


def test_the_last_exchanges_are_shown_the_newest_first(
    app: Flask, services: Services, desk: Desk, clock: MovingClock, town: Town
) -> None:
    with services.make_session.begin() as db:
        for number in range(31):
            said = f"<call {number}>"
            dialogues.note(db, gateway_id=town.station.id, said=said, answered="ok", now=clock())
    page = html.unescape(desk.at_work("nour", Role.NETWORK).get("/staff/gateways/gw-viotte").text)
    told = re.findall(r"<call (\d+)>", page)
    assert told == [str(number) for number in range(30, 0, -1)]
    today = f"{clock():%A}"
    assert today not in page
    clock.advance(hours=24)
    assert today in desk.at_work("lou", Role.NETWORK).get("/staff/gateways/gw-viotte").text
    runner = app.test_cli_runner()
    alone = runner.invoke(args=["gateways", "check", "gw-viotte"]).output
    assert "<call 30>" in alone and "gw-battant" not in alone
    assert "<call 30>" not in runner.invoke(args=["gateways", "check"]).output
    assert runner.invoke(args=["gateways", "check", "nowhere"]).exit_code == 1


def test_how_far_a_gateway_is_from_the_leases_is_told_in_words(
    app: Flask, services: Services, desk: Desk, station: Gateway, clock: MovingClock
) -> None:
    """One is missing and one surplus; one more has come in since, and is not confirmed."""
    with services.make_session.begin() as db:
        enter(db, db.get_one(Gateway, station.id), BO_PHONE, "10.66.0.6")
    page = desk.at_work("nour", Role.NETWORK).get("/staff/gateways/gw-viotte").text
    command = app.test_cli_runner().invoke(args=["gateways", "check"]).output
    for text in (html.unescape(page), command):
        assert "It has not confirmed 1 permission yet." in text
        assert "1 device whose access is over may still pass: it has not confirmed the end." in text
        assert "1 device is online by the leases, and it does not let it pass." in text
        assert "1 device passes there without a lease." in text
        assert "exactly whom the leases name" not in text


def test_what_a_silent_gateway_lets_pass_is_as_old_as_its_last_word(
    app: Flask, services: Services, station: Gateway, clock: MovingClock
) -> None:
    one = replace(health(services, station, clock), missing=0, surplus=0, distance=Distance())
    one = replace(one, check=replace(one.check, held=0))
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        assert distance_in_words(one) == ["It lets pass exactly whom the leases name."]
        assert distance_in_words(replace(one, silent_since=clock())) == [
            "When it was last heard it let pass exactly whom the leases name."
        ]
