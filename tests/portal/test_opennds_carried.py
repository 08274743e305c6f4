"""Guests behind an openNDS at level 1 or 2: their browsers carry the portal's word to it, and come back."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.opennds_carried import word
from gateways.opennds_carried.kind import KIND
from portal.gateway_api.endpoints import endpoint_of
from portal.services import Services
from sessions.gateway_health import dialogues
from sessions.models import AccessSession, Lease
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, Phone, shows_session
from tests.portal.opennds_box import OUTSIDE, OpenNdsBox
from tests.town import ADA_PHONE, BO_PHONE, Town

BOX = "10.66.0.1:2050"


@pytest.fixture
def box(request: pytest.FixtureRequest, services: Services, app: Flask, town: Town) -> OpenNdsBox:
    """An openNDS at level 2, or at the level that a test asks for."""
    with services.make_session.begin() as db:
        record = db.get_one(Gateway, town.station.id)
        record.kind, record.public_addresses = "opennds_carried", [OUTSIDE]
        record.options = {"level": getattr(request, "param", "2"), "gateway_address": BOX}
    services.places.forget()
    gateway = services.places.by_identity(town.station.identity)
    assert gateway is not None
    return OpenNdsBox(app, gateway)


def landing(box: OpenNdsBox, phone: Phone, **changes: str) -> str:
    return box.landing(phone, is_encrypted=box.gateway.option("level") == "2", **changes)


def phone_behind(box: OpenNdsBox, mac: str = ADA_PHONE) -> Phone:
    return Phone(box.app, box.gateway, mac=mac, address=OUTSIDE)


def carried(box: OpenNdsBox, clock: MovingClock, phone: Phone) -> dict[str, str]:
    """What the guest's browser is sent to the box with, after the button of the first page."""
    phone.get(landing(box, phone))
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    return word_of(phone)


def word_of(phone: Phone) -> dict[str, str]:
    """The page leads on by itself, and has a link for browsers that do not."""
    at_once, _, address = phone.page.headers["Refresh"].partition(";url=")
    assert at_once == "0" and address.replace("&", "&amp;") in phone.page.text
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"http://{BOX}/opennds_auth/"
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def is_confirmed(db: Session) -> bool:
    db.rollback()
    return db.scalar(select(Lease.confirmed_at).order_by(Lease.id.desc()).limit(1)) is not None


@pytest.mark.parametrize("box", ["1", "2"], indirect=True)
def test_the_browser_brings_the_word_to_the_box_and_comes_back_online(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = phone_behind(box)
    brought = carried(box, clock, phone)
    assert brought.keys() == {"tok", "redir", "custom"}
    assert brought["tok"] == box.rhid(ADA_PHONE)
    assert brought["custom"].split(".")[:3] == ["1800", "15000", "55000"]
    assert not is_confirmed(db)
    # openNDS answers 307 to redir.
    phone.get(brought["redir"])
    assert shows_session(phone.page) and is_confirmed(db)


def test_the_way_back_stands_in_no_encoding_for_openNDS_takes_that_off(
    box: OpenNdsBox, clock: MovingClock
) -> None:
    back = carried(box, clock, phone_behind(box))["redir"]
    assert quote(back, safe=":/?=") == back and len(back) < 700


def test_whoever_makes_up_a_way_back_confirms_nothing(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = phone_behind(box)
    back = carried(box, clock, phone)["redir"]
    path, seal = urlsplit(back).path.rsplit("/", 1)
    for other in (f"{path}/{'0' * 32}", f"{path.rsplit('/', 1)[0]}/2/{seal}", f"{path}/{seal[:-1]}"):
        assert phone.get(other, follow=False).status_code == 404
    assert not is_confirmed(db)


def test_a_second_press_finds_the_guest_online(box: OpenNdsBox, clock: MovingClock, db: Session) -> None:
    """openNDS then sends the browser to the FAS with the way back not encoded."""
    phone = phone_behind(box)
    brought = carried(box, clock, phone)
    phone.get(f"{box.path}?tok={brought['tok']}&redir={brought['redir']}&status=authenticated")
    assert shows_session(phone.page) and is_confirmed(db)
    strange = phone.get(f"{box.path}?redir=https://elsewhere.example/&status=authenticated", follow=False)
    assert strange.location == f"{PORTAL}/"


def test_a_box_that_refuses_the_word_is_not_asked_for_ever(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    """It sends the browser back as if it were new, wanting to go where it was to come back."""
    phone = phone_behind(box)
    brought = carried(box, clock, phone)
    for _ in range(2):
        phone.get(landing(box, phone, originurl=quote(brought["redir"], safe="")))
    assert phone.page.request.path == "/opening" and "Connecting" in phone.page.text
    db.rollback()
    told = [one.answered for one in dialogues.recent(db, gateway_id=box.gateway.id)]
    assert any("faskey" in one for one in told)
    # A new stay before sign-in is tried anew.
    box.restart_quietly()
    phone.get(landing(box, phone))
    assert word_of(phone)["tok"] == box.rhid(ADA_PHONE)


def test_after_a_restart_the_guest_goes_on_with_the_rest(
    box: OpenNdsBox, clock: MovingClock, db: Session
) -> None:
    phone = phone_behind(box)
    phone.get(carried(box, clock, phone)["redir"])
    clock.advance(minutes=10)
    box.restart_quietly()
    phone.get(landing(box, phone))
    assert word_of(phone)["custom"].split(".")[0] == "1200"
    db.rollback()
    assert len(list(db.scalars(select(AccessSession)))) == 1


def test_the_word_goes_to_the_box_of_the_record_alone(box: OpenNdsBox, clock: MovingClock) -> None:
    phone = phone_behind(box)
    phone.get(landing(box, phone, gatewayaddress="10.66.0.66:80"))
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    assert phone.page.status_code == 200 and "10.66.0.66" not in phone.page.text


def test_the_script_of_the_lines_believes_the_portal_s_word_alone(box: OpenNdsBox, tmp_path: Path) -> None:
    """Run as openNDS runs it, in the shell of small boxes."""
    with box.app.test_request_context(base_url=PORTAL):
        lines = endpoint_of("opennds_carried").set_up(box.gateway).lines
    script = tmp_path / "binauth.sh"
    script.write_text(next(one.text for one in lines if one.where.startswith(word.SCRIPT)))
    token = "594f9bf5"
    rhid = hashlib.sha256((hashlib.sha256(token.encode()).hexdigest() + box.faskey).encode()).hexdigest()
    good = word.custom(seconds=1234, up_kbps=5, down_kbps=0, rhid=rhid, faskey=box.faskey)

    def says(custom: str, *, token: str = token) -> tuple[str, int]:
        arguments = ["auth_client", ADA_PHONE, "http%3a%2f%2fa", "Agent", "10.66.0.5", token, custom]
        done = subprocess.run(
            ["dash", script, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.stderr == ""
        return done.stdout.strip(), done.returncode

    assert says(good) == ("1234 5 0 0 0", 0)
    seconds, rest = good.split(".", 1)
    for false in (
        "",
        "9",
        f"{seconds}9.{rest}",
        good[:-1],
        good.replace(".", ""),
        "$(touch x)",
        "`touch x`.1.1.x",
        "a b.*.1.x",
    ):
        assert says(false) == ("1 1 1 1 1", 1)
    assert says(good, token="594f9bf6") == ("1 1 1 1 1", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["binauth.sh"]
    assert len(good) <= 126 and quote(good, safe="") == good


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": "0", "gateway_address": BOX}, "shows each token"),
        ({"level": "3", "gateway_address": BOX}, "the kind for that is opennds"),
        ({"gateway_address": "10.66.0.1"}, "like 10.66.0.1:2050"),
        ({"gateway_address": "box.lan:2050"}, "like 10.66.0.1:2050"),
        ({"gateway_address": "10.66.0.1:99999"}, "like 10.66.0.1:2050"),
        ({}, "gateway_address must be set"),
    ],
)
def test_options_that_it_cannot_have_are_refused_with_what_to_write(
    options: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        KIND.read_options(options)


def test_cards_and_passes_are_no_affair_of_it() -> None:
    assert KIND.is_for_free_access_alone({})


@pytest.mark.parametrize("box", ["1", "2"], indirect=True)
def test_a_stranger_s_landing_in_clear_is_none_at_level_2(box: OpenNdsBox) -> None:
    phone = phone_behind(box, BO_PHONE)
    answer = phone.get(box.landing(phone, is_encrypted=False))
    assert answer.status_code == (400 if box.gateway.option("level") == "2" else 200)
