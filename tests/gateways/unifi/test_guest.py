"""A guest at a UniFi hotspot, from the redirect to the page that says until when."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gateways.types import Client
from sites.models import Gateway
from tests.gateways.contract.drivers.unifi import UnifiDriver
from tests.portal.conftest import Phone, shows_session


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.gateway_api.unifi_rounds.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("gateways.unifi.controller.REST_SECONDS", 0.0)
    # The page answers at once where the box has not confirmed, as it does after its wait.
    monkeypatch.setattr("portal.guest.connecting.WAIT_SECONDS", 0.0)


def phone_of(spot: UnifiDriver, client: Client) -> Phone:
    return Phone(spot.portal.app, spot.portal.gateway, mac=client.mac, address=str(client.addresses[0]))


def redirected(spot: UnifiDriver, client: Client) -> str:
    return (
        f"/guest/s/default/?ap=94:2a:6f:d0:30:57&id={client.mac}&t={int(spot.clock().timestamp())}&ssid=Ville"
    )


def press_on(spot: UnifiDriver, phone: Phone) -> None:
    """Accept, where the first page stands."""
    spot.wait(6)
    phone.press("/pause", follow=True)


def test_a_guest_is_online_one_button_after_the_redirect(spot: UnifiDriver) -> None:
    client = spot.newcomer()
    phone = phone_of(spot, client)
    phone.get(redirected(spot, client))
    assert not spot.passes(client)
    press_on(spot, phone)
    assert shows_session(phone.page) and spot.passes(client)
    # Who opens the portal's name by hand is known by the controller's word, and shown the same.
    phone.browser = spot.portal.app.test_client()
    phone.get("/gateways/unifi/gate-0/")
    assert shows_session(phone.page)


def test_a_guest_of_a_controller_that_is_away_waits_and_goes_on_when_it_is_back(spot: UnifiDriver) -> None:
    client = spot.newcomer()
    phone = phone_of(spot, client)
    phone.get(redirected(spot, client))
    spot.box.stop()
    press_on(spot, phone)
    assert phone.page.request.path == "/opening" and phone.page.headers["Refresh"]
    waiting = phone.page.request.url
    assert phone.get(waiting).request.path == "/opening"
    spot.box.start()
    spot.portal.sweep()
    assert shows_session(phone.get(waiting)) and spot.passes(client)


def test_who_is_listed_and_redirected_all_the_same_is_authorized_anew_without_a_page(
    spot: UnifiDriver,
) -> None:
    client = spot.newcomer()
    phone = phone_of(spot, client)
    phone.get(redirected(spot, client))
    press_on(spot, phone)
    old = redirected(spot, client)
    spot.wait(120)
    before = len(spot.box.commands("authorize-guest"))
    assert shows_session(phone.get(old))
    assert len(spot.box.commands("authorize-guest")) == before
    assert shows_session(phone.get(redirected(spot, client)))
    assert len(spot.box.commands("authorize-guest")) == before + 1 and spot.passes(client)


def test_behind_a_translated_address_nobody_is_shown_a_stay_that_they_name(spot: UnifiDriver) -> None:
    """The access point has let go of the victim, whose stay goes on; somebody beside it names its address."""
    with spot.portal.services.make_session.begin() as db:
        db.scalars(select(Gateway)).one().public_addresses = ["203.0.113.7"]
    spot.portal.services.places.forget()
    victim = spot.newcomer()
    access = spot.portal.let_in(victim, seconds=600)
    spot.box.faults.stuck = {victim.mac}
    thief = Phone(spot.portal.app, spot.portal.gateway, mac=victim.mac, address="203.0.113.7")
    thief.get(redirected(spot, victim))
    assert thief.page.request.path == "/" and "/leave" not in thief.page.text
    # And who has none signs in there as everywhere.
    spot.box.faults.stuck = set()
    client = spot.newcomer()
    phone = Phone(spot.portal.app, spot.portal.gateway, mac=client.mac, address="203.0.113.7")
    phone.get(redirected(spot, client))
    press_on(spot, phone)
    assert shows_session(phone.page) and spot.passes(client)
    assert spot.portal.session(access).ended_at is None
