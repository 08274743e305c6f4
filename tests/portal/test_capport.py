"""RFC 8908: true for the client that asks, and for nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auth.managed import Managed
from gateways.types import parse_mac
from portal.services import Services
from sessions.managed.reconcile import fit
from sites.models import Network
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, Agent, Phone
from tests.town import ADA_TABLET, Town

API = "/capport/gw-viotte"


def ask(phone: Phone) -> dict[str, Any]:
    answer = phone.get(API, Accept="application/captive+json")
    assert answer.headers["Content-Type"] == "application/captive+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert len(answer.data) <= 4096
    document: dict[str, Any] = json.loads(answer.data)
    return document


def get_on(phone: Phone, agent: Agent) -> None:
    phone.land()
    assert phone.press("/pause").status_code == 303
    agent.follow()


def test_a_captive_client_is_told_the_portal_and_no_time(phone: Phone) -> None:
    assert ask(phone) == {"captive": True, "user-portal-url": f"{PORTAL}/?gateway=gw-viotte"}


def test_a_client_that_is_online_is_told_how_long(phone: Phone, station: Agent, clock: MovingClock) -> None:
    get_on(phone, station)
    clock.advance(minutes=10, seconds=0.5)
    assert ask(phone) == {
        "captive": False,
        "user-portal-url": f"{PORTAL}/status",
        "venue-info-url": f"{PORTAL}/info/gare-viotte",
        "seconds-remaining": 20 * 60 - 1,
        "can-extend-session": False,
    }


def test_extension_is_announced_exactly_when_policy_allows_it(
    phone: Phone, station: Agent, clock: MovingClock
) -> None:
    get_on(phone, station)
    clock.advance(minutes=24, seconds=59)
    assert ask(phone)["can-extend-session"] is False
    clock.advance(seconds=1)
    assert ask(phone)["can-extend-session"] is True


def test_at_the_deadline_the_client_is_captive(phone: Phone, station: Agent, clock: MovingClock) -> None:
    get_on(phone, station)
    clock.advance(minutes=30)
    assert ask(phone)["captive"] is True


def test_before_the_gateway_confirmed_the_client_is_captive(phone: Phone) -> None:
    phone.land()
    phone.press("/pause")
    assert ask(phone)["captive"] is True


def test_a_device_of_the_town_is_captive_nowhere_and_has_no_page(
    phone: Phone, station: Agent, town: Town, services: Services
) -> None:
    phone.land()
    with services.make_session.begin() as db:
        db.get_one(Network, town.free.id).signin_methods = ["free", "managed"]
        gateways = frozenset({town.station.id})
        fit(db, [Managed("device:1", parse_mac(phone.mac), gateways)], now=services.clock())
    station.follow()
    seen = {"client": phone.mac, "addresses": [phone.address]}
    station.call("POST", "/gateways/nftables/arrivals", json={"clients": [seen]})
    station.follow()
    assert ask(phone) == {"captive": False}
    page = phone.land()
    assert b"/leave" not in page.data
    answer = phone.press("/pause")
    assert answer.status_code == 409
    assert "Cet appareil n’a pas à se connecter." in answer.text or "needs no sign-in" in answer.text


def test_nobody_learns_of_another_client(phone: Phone, station: Agent) -> None:
    get_on(phone, station)
    other = Phone(phone.app, phone.gateway, ADA_TABLET, "10.66.0.77")
    assert ask(other)["captive"] is True
    elsewhere = Phone(phone.app, phone.gateway, ADA_TABLET, "192.0.2.1")
    assert ask(elsewhere)["captive"] is True


def test_a_forwarded_address_is_not_believed(phone: Phone, station: Agent) -> None:
    """Anybody may write the header; the connection's own address is what counts."""
    get_on(phone, station)
    other = Phone(phone.app, phone.gateway, ADA_TABLET, "10.66.0.77")
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        answer = other.get(API, **{name: phone.address, "Accept": "application/captive+json"})
        assert json.loads(answer.data)["captive"] is True


@pytest.mark.parametrize(
    ("accept", "api"),
    [
        ("application/captive+json", True),
        ("application/json", True),
        ("*/*", True),
        ("text/html;q=0.9,application/captive+json;q=0.1", True),
        ("text/html", False),
        ("text/html,application/xhtml+xml", False),
    ],
)
def test_a_browser_is_sent_to_the_portal(phone: Phone, accept: str, api: bool) -> None:
    answer = phone.get(API, follow=False, Accept=accept)
    assert (answer.status_code == 200) is api
    if not api:
        assert answer.location == "/?gateway=gw-viotte"
        assert answer.headers["Vary"] == "Accept"


def test_an_unknown_gateway_is_answered_as_captive(phone: Phone, services: Services) -> None:
    answer = phone.get("/capport/nobody", Accept="application/captive+json")
    assert json.loads(answer.data)["captive"] is True
