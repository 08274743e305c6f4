"""Guests behind an openNDS at level 3 or 4: landings, authmon's list, ends of stays, and strangers who play authmon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from gateways.opennds.kind import KIND
from portal.gateway_api.endpoints import endpoint_of
from portal.services import Services
from sessions import accounting
from sessions.gateway_health import dialogues
from sessions.models import AccessSession, ClientLanding, EndReason, Lease
from sites.gateways import rotate_credential
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, Phone, shows_session
from tests.portal.opennds_box import OUTSIDE, OpenNdsBox, address_of
from tests.town import ADA_PHONE, BO_PHONE, Town


@pytest.fixture
def box(services: Services, app: Flask, town: Town) -> OpenNdsBox:
    """An openNDS at the station, which translates its clients' addresses."""
    return make_box(services, app, town)


def make_box(services: Services, app: Flask, town: Town, **options: str) -> OpenNdsBox:
    with services.make_session.begin() as db:
        record = db.get_one(Gateway, town.station.id)
        record.kind, record.options, record.public_addresses = "opennds", options, [OUTSIDE]
        record.redirector_url = "http://status.client/login"
    services.places.forget()
    gateway = services.places.by_identity(town.station.identity)
    assert gateway is not None
    return OpenNdsBox(app, gateway)


def phone_behind(box: OpenNdsBox, mac: str = ADA_PHONE) -> Phone:
    return Phone(box.app, box.gateway, mac=mac, address=OUTSIDE)


def accept(box: OpenNdsBox, clock: MovingClock, mac: str = ADA_PHONE) -> Phone:
    """A guest lands, and presses the button of the first page."""
    phone = phone_behind(box, mac)
    phone.get(box.landing(phone))
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    assert urlsplit(phone.page.request.url).path == "/opening", phone.page.text
    return phone


def again(phone: Phone) -> str:
    """The page that waits asks again by itself."""
    return phone.get(phone.page.request.full_path).text


def online(box: OpenNdsBox, clock: MovingClock, mac: str = ADA_PHONE) -> Phone:
    phone = accept(box, clock, mac)
    box.round()
    again(phone)
    assert shows_session(phone.page)
    return phone


def access_of(db: Session, mac: str = ADA_PHONE) -> AccessSession:
    db.rollback()
    return db.scalars(
        select(AccessSession).where(AccessSession.mac == mac).order_by(AccessSession.id.desc())
    ).first()  # type: ignore[return-value]


def is_confirmed(db: Session, mac: str = ADA_PHONE) -> bool:
    db.rollback()
    last = select(Lease.confirmed_at).where(Lease.mac == mac).order_by(Lease.id.desc()).limit(1)
    return db.scalar(last) is not None


def dialogue(db: Session, box: OpenNdsBox) -> str:
    db.rollback()
    return "\n".join(
        f"{one.said} -> {one.answered}" for one in dialogues.recent(db, gateway_id=box.gateway.id)
    )


def test_a_guest_behind_its_address_is_let_in_for_whole_minutes_at_the_network_s_rates(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = accept(box, clock)
    access = access_of(db)
    assert (access.mac, access.address) == (ADA_PHONE, address_of(ADA_PHONE))
    assert "Connecting" in phone.page.text and not is_confirmed(db)
    clock.advance(seconds=4)
    [words] = box.round()
    assert words[1:6] == ["30", "15000", "55000", "0", "0"]
    # The time begins when the gateway lets the guest in, and the page says the end that the gateway keeps.
    assert access_of(db).until == clock() + timedelta(minutes=30)
    again(phone)
    assert shows_session(phone.page) and is_confirmed(db)
    assert box.round() == []
    assert "let in" in dialogue(db, box) and words[0] not in dialogue(db, box)


def test_a_browser_may_say_what_it_likes_beside_the_landing(box: OpenNdsBox, db: Session) -> None:
    phone = phone_behind(box)
    phone.get(
        f"{box.landing(phone)}&clientmac={BO_PHONE}&clientip=10.66.0.9&mac={BO_PHONE}",
        **{"X-Client-Mac": BO_PHONE},
    )
    assert phone.page.request.path == "/" and "/pause" in phone.page.text
    db.rollback()
    assert list(db.scalars(select(ClientLanding.mac))) == [ADA_PHONE]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_encrypted": False}, "not encrypted"),
        ({"clientip": "192.0.2.7"}, "none of the record's prefixes"),
        ({"clientmac": "ff:ff:ff:ff:ff:ff"}, "an address in it is none"),
        ({"hid": "$(touch /tmp/x)"}, "hid"),
    ],
)
def test_what_the_gateway_did_not_say_is_no_landing(
    box: OpenNdsBox, db: Session, changes: dict[str, Any], reason: str
) -> None:
    phone = phone_behind(box)
    answer = phone.get(box.landing(phone, **changes))
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert db.scalar(select(func.count()).select_from(ClientLanding)) == 0
    assert reason in dialogue(db, box)


def test_a_landing_under_another_faskey_or_of_another_gateway_is_none(box: OpenNdsBox, db: Session) -> None:
    phone = phone_behind(box)
    for other in ("another-faskey-0123456789abcdef-0123", box.faskey[:31]):
        assert phone.get(OpenNdsBox(box.app, box.gateway, faskey=other).landing(phone)).status_code == 400
    assert "another faskey" in dialogue(db, box) or "no landing" in dialogue(db, box)
    whole = box.landing(phone)
    assert phone.get(whole.replace("gw-viotte", "gw-battant")).status_code == 404
    assert phone.get(whole.replace("gw-viotte", "gw-nowhere")).status_code == 404


@contextmanager
def counted_writes(services: Services) -> Iterator[list[str]]:
    written: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split()[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            written.append(statement)

    event.listen(services.engine, "before_cursor_execute", note)
    try:
        yield written
    finally:
        event.remove(services.engine, "before_cursor_execute", note)


def test_a_poll_that_finds_nothing_new_writes_nothing(
    box: OpenNdsBox, clock: MovingClock, services: Services
) -> None:
    accept(box, clock)
    box.ask("view")
    with counted_writes(services) as written:
        for _ in range(5):
            clock.advance(seconds=1)
            assert len(box.ask("view").text.split()) == 2
            assert box.ask("view", "*").text == "ack"
    assert written == []


def test_strangers_behind_the_same_address_who_play_authmon_change_nothing(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    """They may read a list and acknowledge it: the gateway hears of the guest all the same, in its next round."""
    online(box, clock, BO_PHONE)
    bo = access_of(db, BO_PHONE)
    accept(box, clock)
    for _ in range(3):
        box.ask("clear")
        assert len(box.ask("list").text.split()) >= 2
    rhids = [entry[:64] for entry in box.ask("view").text.split()[1:]]
    assert box.ask("view", " ".join(["*", *rhids])).text == "ack"
    entry = box.inside[BO_PHONE]
    for token in ("00000000", box.hid(BO_PHONE), ""):
        custom = entry[6].replace("=", "%3d")
        false = f"method=client_deauth, clientmac={BO_PHONE}, bytes_incoming=1, bytes_outgoing=1, session_start=1, "
        assert box.ask("deauthed", f"{false}session_end=2, token={token}, custom={custom}").status_code == 200
    clock.advance(seconds=5)
    assert [words[1] for words in box.round()] == ["30"]
    db.rollback()
    db.refresh(bo)
    assert bo.ended_at is None and access_of(db).ended_at is None
    assert is_confirmed(db) and is_confirmed(db, BO_PHONE)
    assert accounting.usage(db, bo.id).bytes_down == 0


def test_an_acknowledgement_is_only_of_what_was_handed_out(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    accept(box, clock)
    assert box.ask("view", f"* {box.rhid(ADA_PHONE)}").text == "ack"
    assert not is_confirmed(db)
    box.ask("view")
    other = OpenNdsBox(box.app, box.gateway, name="Another%20Name")
    assert other.ask("view").text == "*"
    assert other.ask("view", f"* {box.rhid(ADA_PHONE)}").text == "ack"
    assert not is_confirmed(db)
    assert box.ask("view", f"* {box.rhid(ADA_PHONE)} $(id) `id`").text == "ack"
    assert is_confirmed(db)


@pytest.mark.parametrize(
    "asked", [{"auth_get": "x"}, {"gatewayhash": ""}, {"payload": "!"}, {"payload": "A" * 20000}]
)
def test_what_authmon_would_not_ask_is_refused(box: OpenNdsBox, asked: dict[str, str]) -> None:
    answer = box.ask("view", **asked)
    assert answer.status_code in (400, 413)
    assert not answer.text.startswith("*")


def test_many_guests_come_in_fours_and_all_come_in(box: OpenNdsBox, clock: MovingClock, db: Session) -> None:
    macs = [f"02:00:00:00:0c:{n:02x}" for n in range(6)]
    for mac in macs:
        accept(box, clock, mac)
    assert len(box.ask("view").text.split()) == 5
    assert len(box.round()) == 4
    rounds = 0
    while len(box.inside) < 6 and rounds < 20:
        # Those who are in are offered once more, as their acknowledgement may have been a stranger's.
        clock.advance(seconds=5)
        box.round()
        rounds += 1
    assert set(box.inside) == set(macs) and rounds <= 2
    assert all(is_confirmed(db, mac) for mac in macs)


def test_after_a_restart_guests_go_on_without_a_page_and_without_more_time(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = online(box, clock)
    until = access_of(db).until
    clock.advance(minutes=10)
    box.restart()
    assert is_confirmed(db), "a restart is believed when somebody lands, not because somebody says so"
    phone.get(box.landing(phone))
    assert phone.page.request.path == "/opening" and not is_confirmed(db)
    clock.advance(seconds=3)
    [words] = box.round()
    assert words[1] == "19"
    again(phone)
    assert shows_session(phone.page)
    # The end that the gateway keeps now, in whole minutes from when it let the guest in.
    assert until - timedelta(minutes=1) < access_of(db).until == clock() + timedelta(minutes=19) <= until
    assert "gateways" in dialogue(db, box) or "authmon" in dialogue(db, box)


def test_an_old_link_that_is_opened_again_takes_nobody_out(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = phone_behind(box)
    first = box.landing(phone)
    accept(box, clock)
    box.restart()
    phone = phone_behind(box)
    phone.get(box.landing(phone))
    box.round()
    clock.advance(minutes=1)
    for link in (first, box.landing(phone)):
        phone.get(link)
        assert shows_session(phone.page) and is_confirmed(db)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("idle_deauth", EndReason.IDLE),
        ("client_deauth", EndReason.LEFT),
        ("timeout_deauth", EndReason.EXPIRED),
        ("downquota_deauth", EndReason.POLICY),
        ("shutdown_deauth", None),
    ],
)
def test_the_end_of_a_stay_is_in_the_log_with_its_bytes(
    box: OpenNdsBox, clock: MovingClock, db: Session, method: str, reason: EndReason | None
) -> None:
    online(box, clock)
    words, token = box.inside[ADA_PHONE], box.tokens[ADA_PHONE]
    assert box.report_end(ADA_PHONE, method).text == "ack"
    # Once more, as where the answer was lost.
    box.inside[ADA_PHONE], box.tokens[ADA_PHONE] = words, token
    assert box.report_end(ADA_PHONE, method).text == "ack"
    access = access_of(db)
    assert access.end_reason is reason
    total = accounting.usage(db, access.id)
    assert (total.bytes_down, total.bytes_up) == (706_000, 12_000)


@pytest.mark.parametrize("changes", [{"clientmac": BO_PHONE}, {"custom": "OTk5"}, {"custom": "none"}])
def test_the_end_of_somebody_else_s_stay_is_not_believed(
    box: OpenNdsBox, clock: MovingClock, db: Session, changes: dict[str, str]
) -> None:
    online(box, clock)
    box.report_end(ADA_PHONE, **changes)
    assert access_of(db).ended_at is None
    assert accounting.usage(db, access_of(db).id).bytes_down == 0


def test_while_the_gateway_is_away_the_guest_waits_and_then_goes_on(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    """Nothing is used up in vain: the stay begins to count at the button, and the entry waits until its last minute."""
    phone = accept(box, clock)
    for _ in range(4):
        clock.advance(minutes=2)
        assert "Connecting" in again(phone)
    [words] = box.round()
    assert words[1] == "21"
    again(phone)
    assert shows_session(phone.page)


def test_an_entry_of_a_token_that_is_gone_keeps_nobody_else_out(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    for n in range(8):
        accept(box, clock, f"02:00:00:00:0c:{n:02x}")
    box.tokens.clear()
    for _ in range(6):
        box.round()
        clock.advance(seconds=5)
    clock.advance(seconds=61)
    # Chosen by lot among all who wait, five of them would not all be among the first four.
    for n in range(5):
        newcomer = f"02:00:00:00:0d:{n:02x}"
        accept(box, clock, newcomer)
        box.round()
        assert newcomer in box.inside


def test_nobody_is_let_in_for_less_than_a_minute(box: OpenNdsBox, clock: MovingClock) -> None:
    accept(box, clock)
    clock.advance(minutes=28, seconds=10)
    assert [words[1] for words in box.round()] == ["1"]
    accept(box, clock, BO_PHONE)
    clock.advance(minutes=29, seconds=1)
    assert box.ask("view").text == "*"


def test_at_level_4_it_asks_by_get_and_its_landings_are_in_clear(
    services: Services, app: Flask, town: Town, clock: MovingClock, db: Session
) -> None:
    box = make_box(services, app, town, level="4")
    phone = phone_behind(box)
    assert phone.get(box.landing(phone)).status_code == 400
    phone.get(box.landing(phone, is_encrypted=False, cpi_query="", version="10.3.0"))
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    assert [words[1] for words in box.round(by_get=True)] == ["29"] or box.inside
    assert is_confirmed(db)


def test_at_level_3_nobody_asks_by_get(box: OpenNdsBox, clock: MovingClock) -> None:
    accept(box, clock)
    assert box.ask("view", by_get=True).status_code == 405


def test_a_network_that_takes_cards_later_is_not_served_at_level_4(
    services: Services, app: Flask, town: Town, db: Session
) -> None:
    box = make_box(services, app, town, level="4")
    with services.make_session.begin() as writing:
        writing.get_one(Gateway, town.station.id).network.signin_methods = ["patron", "free"]
    services.places.forget()
    phone = phone_behind(box)
    assert phone.get(box.landing(phone, is_encrypted=False)).status_code == 400
    assert "can be guessed" in dialogue(db, box)


def test_during_a_rotation_the_old_faskey_holds_beside_the_new_one(
    box: OpenNdsBox, clock: MovingClock, services: Services, db: Session
) -> None:
    with services.make_session.begin() as writing:
        record = writing.get_one(Gateway, box.gateway.id)
        rotate_credential(writing, record, keep_old_until=clock() + timedelta(hours=1))
    services.places.forget()
    online(box, clock)
    gateway = services.places.by_identity(box.gateway.identity)
    assert gateway is not None
    online(OpenNdsBox(box.app, gateway), clock, BO_PHONE)
    clock.advance(hours=2)
    phone = phone_behind(box, "02:00:00:00:0c:01")
    assert phone.get(box.landing(phone)).status_code == 400


@pytest.mark.parametrize(
    ("level", "words"),
    [("0", "level 0 shows each token"), ("1", "opennds_carried"), ("2", "opennds_carried"), ("5", "3")],
)
def test_a_level_that_this_kind_does_not_serve_is_refused_with_what_to_do(level: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        KIND.read_options({"level": level})


def test_the_lines_to_paste_are_those_of_its_record(box: OpenNdsBox) -> None:
    with box.app.test_request_context(base_url=PORTAL):
        endpoint = endpoint_of("opennds")
        lines, missing = endpoint.set_up(box.gateway), endpoint.self_test(box.gateway)
    debian, openwrt, *repairs = (one.text for one in lines.lines)
    assert [one.startswith(("[Service]", "#!/bin/")) for one in repairs] == [True] * 3
    for said in (
        "fas_secure_enabled 3\n",
        f"faskey {box.faskey}\n",
        f"faspath {box.path}\n",
        "sessiontimeout 30\n",
    ):
        assert said in debian
        assert f"\toption {said.split()[0]} '{said.split()[1]}'\n" in openwrt
    assert "\n#nat_traversal_poll_interval 5\n" in debian
    assert lines.secrets == (box.faskey,)
    assert missing == []


def test_whoever_opens_the_portal_behind_it_without_a_landing_is_sent_to_it_for_one(box: OpenNdsBox) -> None:
    assert phone_behind(box).get("/", follow=False).location == "http://status.client/login"


def test_the_landing_leads_to_the_portal_s_own_name(box: OpenNdsBox) -> None:
    """Also where this process answers to gateways alone, and knows no first page."""
    phone = phone_behind(box)
    answer = phone.get(box.landing(phone), follow=False)
    assert answer.status_code == 303 and answer.location.startswith(f"{PORTAL}/?landing=")
    assert parse_qs(urlsplit(answer.location).query).keys() == {"landing"}
