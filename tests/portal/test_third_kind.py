"""A kind of gateway that nobody knew yesterday: one folder, one module at the portal, and a guest is online there."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portal.app import create_app
from portal.services import Services
from sites.models import Gateway
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.portal.conftest import PORTAL, Phone, shows_session
from tests.town import Town, credential_of

ROOT = Path(__file__).parents[2]
ROOMS = ("gateways", "sites", "auth", "sessions", "ads", "portal", "migrations", "templates")


@pytest.fixture(autouse=True)
def _made_up_kinds() -> Iterator[None]:
    with made_up.added():
        yield


class Box:
    """An hourglass in the field: it asks the portal, and lets pass."""

    def __init__(self, phone: Phone) -> None:
        self.sand: Any = importlib.import_module("gateways.hourglass.box").Hourglass()
        self.browser = phone.app.test_client()
        self.headers = {"Authorization": f"Bearer {credential_of(phone.gateway.identity)}"}

    def ask(self, now: float) -> None:
        answer = self.browser.get(
            "/gateways/hourglass/list", base_url=PORTAL, headers=self.headers
        ).get_json()
        for mac, minutes in answer["minutes"].items():
            self.sand.turn(mac, minutes, now=now)
        taken = {"version": answer["version"]}
        self.browser.post("/gateways/hourglass/taken", base_url=PORTAL, headers=self.headers, json=taken)


def test_one_folder_and_one_module_bring_a_guest_online(
    services: Services, town: Town, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        db.get_one(Gateway, town.station.id).kind = "hourglass"
        db.get_one(Gateway, town.station.id).network.lease_seconds = 1810
    services.places.forget()
    app = create_app(services)
    phone = Phone(app, town.station)
    phone.land()
    clock.advance(seconds=6)
    phone.press("/pause", follow=True)
    assert "/opening" in phone.page.request.path
    box = Box(phone)
    box.ask(clock().timestamp())
    page = phone.get("/opening").text
    assert shows_session(phone.page)
    # Whole minutes, and never one too many; nobody is promised a renewal, or sent away for a silence.
    assert box.sand.ends[phone.mac] == clock().timestamp() + 1800
    assert "is disconnected sooner" not in page
    assert "Used so far" not in page
    answer = app.test_cli_runner().invoke(args=["gateways", "check"]).output
    assert "kind hourglass: Hourglass 60" in answer
    assert "A stay cannot be renewed while it lasts: people go on after its end." in answer


def test_nothing_else_in_the_house_knows_of_it() -> None:
    added = sorted(path.name for path in (made_up.HERE / "endpoints").glob("hourglass*"))
    assert added == ["hourglass.py"]
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".py", ".html", ".po"}:
                assert "hourglass" not in path.read_text(encoding="utf-8").lower(), path


def test_a_kind_without_its_module_is_told_at_the_start(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal import gateway_api

    monkeypatch.setattr(gateway_api, "__path__", gateway_api.__path__[:1])
    with pytest.raises(LookupError, match=r"'doorman' has no module portal\.gateway_api\.doorman"):
        create_app(services)


def test_a_credential_opens_the_calls_of_its_own_kind_alone(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        db.get_one(Gateway, town.station.id).kind = "hourglass"
    services.places.forget()
    browser = create_app(services).test_client()
    for identity, status in (
        ("gw-viotte", {"nftables/feed": 401, "hourglass/list": 200}),
        ("gw-battant", {"nftables/feed": 200, "hourglass/list": 401}),
    ):
        headers = {"Authorization": f"Bearer {credential_of(identity)}"}
        got = {
            path: browser.get(f"/gateways/{path}", base_url=PORTAL, headers=headers).status_code
            for path in status
        }
        assert got == status


def test_a_kind_whose_own_module_fails_holds_up_neither_guest_nor_sweep(
    services: Services, town: Town, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has told this portal where the doorman stands: his module looks him up in vain."""
    with services.make_session.begin() as db:
        db.get_one(Gateway, town.station.id).kind = "doorman"
    services.places.forget()
    app = create_app(services)
    phone = Phone(app, town.station)
    phone.land()
    clock.advance(seconds=6)
    assert phone.press("/pause", follow=True).status_code == 200
    assert phone.page.request.path == "/opening"
    assert "gateway gw-viotte could not be notified" in caplog.text
    caplog.clear()
    assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    assert "gateway gw-viotte could not be notified" in caplog.text
