"""A redirect that anybody can forge binds nobody: the controller's own list says who lands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import Serves
from gateways.types import Client
from portal.app import create_app
from sessions.models import ClientLanding
from sites.models import Gateway
from tests.gateways.contract.drivers.unifi import UnifiDriver
from tests.gateways.contract.portal import IDENTITY

OWN = f"/gateways/unifi/{IDENTITY}"
PUBLIC = "203.0.113.7"


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each landing is looked up anew, and an absence is not remembered."""
    monkeypatch.setattr("portal.gateway_api.unifi_rounds.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("gateways.unifi.controller.REST_SECONDS", 0.0)


def land(
    spot: UnifiDriver, path: str, address: str, *, mac: str | None = None, **headers: str
) -> TestResponse:
    query = {"ap": "94:2a:6f:d0:30:57", "t": "1742398732", "url": "http://secret.example/", "ssid": "Ville"}
    browser = spot.portal.app.test_client()
    return browser.get(
        path,
        base_url=spot.portal.url,
        query_string=query | ({"id": mac} if mac else {}),
        environ_overrides={"REMOTE_ADDR": address},
        headers=headers,
    )


def address_of(client: Client) -> str:
    return str(client.addresses[0])


def has_landed(answer: TestResponse) -> bool:
    """Sent to the first page with the gateway's word; otherwise it is a page that asks again by itself."""
    if answer.status_code == 303:
        assert "/?landing=" in answer.location
        return True
    assert (answer.status_code, answer.headers["Refresh"]) == (200, "3")
    return False


@pytest.mark.parametrize("path", ["/guest/s/default/", f"{OWN}/guest/s/default/", f"{OWN}/"])
def test_a_guest_lands_on_the_first_page_by_its_own_address(spot: UnifiDriver, path: str) -> None:
    phone = spot.newcomer()
    answer = land(spot, path, address_of(phone), mac=phone.mac)
    assert has_landed(answer)
    first = spot.portal.app.test_client().get(
        answer.location, environ_overrides={"REMOTE_ADDR": address_of(phone)}
    )
    assert first.status_code == 200 and b"<form" in first.data


def test_who_names_another_device_gets_no_word_for_it(spot: UnifiDriver) -> None:
    phone, victim = spot.newcomer(), spot.newcomer()
    path, own = "/guest/s/default/", address_of(phone)
    assert not has_landed(land(spot, path, own, mac=victim.mac))
    assert not has_landed(land(spot, path, own, mac=victim.mac, **{"X-Forwarded-For": address_of(victim)}))
    assert not has_landed(land(spot, path, "10.66.0.250", mac=victim.mac))
    with spot.portal.services.make_session() as db:
        assert victim.mac not in set(db.scalars(select(ClientLanding.mac)))


def test_nothing_of_what_the_guest_wanted_to_open_is_kept(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    answer = land(spot, "/guest/s/default/", address_of(phone), mac=phone.mac)
    with spot.portal.services.make_session() as db:
        told = db.scalars(select(ClientLanding.told).where(ClientLanding.mac == phone.mac)).one()
    assert "secret" not in f"{told}{answer.location}"


def test_a_device_that_the_controller_does_not_list_yet_waits_and_goes_on(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    station = spot.box.stations.pop(phone.mac)
    path = "/guest/s/default/"
    assert not has_landed(land(spot, path, address_of(phone), mac=phone.mac))
    spot.box.stations[phone.mac] = station | {"is_guest": False}
    assert not has_landed(land(spot, path, address_of(phone), mac=phone.mac))
    # An address that two devices have says nothing.
    thief = spot.newcomer()
    spot.box.connect(thief.mac, address_of(phone))
    spot.box.stations[phone.mac] = station
    assert not has_landed(land(spot, f"{OWN}/", address_of(phone)))
    del spot.box.stations[thief.mac]
    assert has_landed(land(spot, path, address_of(phone), mac=phone.mac))


def test_a_guest_who_lands_while_the_controller_is_away_waits_and_goes_on(spot: UnifiDriver) -> None:
    phone = spot.newcomer()
    spot.box.stop()
    english = {"Accept-Language": "en"}
    answer = land(spot, "/guest/s/default/", address_of(phone), mac=phone.mac, **english)
    assert not has_landed(answer)
    assert "asks again by itself" in answer.text and 'lang="en"' in answer.text
    spot.box.start()
    assert has_landed(land(spot, "/guest/s/default/", address_of(phone), mac=phone.mac))


def test_behind_a_translated_address_only_a_guest_that_waits_there_lands(spot: UnifiDriver) -> None:
    with spot.portal.services.make_session.begin() as db:
        db.scalars(select(Gateway)).one().public_addresses = [PUBLIC]
    spot.portal.services.places.forget()
    phone, victim, printer = spot.newcomer(), spot.newcomer(), spot.newcomer()
    spot.portal.let_in(victim, seconds=600)
    spot.box.stations[printer.mac]["is_guest"] = False
    assert has_landed(land(spot, "/guest/s/default/", PUBLIC, mac=phone.mac))
    assert not has_landed(land(spot, "/guest/s/default/", PUBLIC, mac=victim.mac))
    assert not has_landed(land(spot, "/guest/s/default/", PUBLIC, mac=printer.mac))
    assert not has_landed(land(spot, f"{OWN}/", PUBLIC))


@pytest.mark.parametrize(
    ("path", "address", "mac"),
    [
        ("/guest/s/other/", "10.66.0.10", None),
        ("/guest/s/default/", "192.0.2.1", None),
        (f"{OWN}/guest/s/other/", "10.66.0.10", None),
        ("/gateways/unifi/nobody/guest/s/default/", "10.66.0.10", None),
        ("/guest/s/default/", "10.66.0.10", "ff:ff:ff:ff:ff:ff"),
    ],
)
def test_another_site_a_stranger_and_nonsense_land_nowhere(
    spot: UnifiDriver, path: str, address: str, mac: str | None
) -> None:
    assert land(spot, path, address, mac=mac).status_code == 404


def test_the_gateways_own_process_serves_landings_too(spot: UnifiDriver) -> None:
    services = spot.portal.services
    apart = replace(services, settings=replace(services.settings, serves=Serves.GATEWAYS))
    whole, spot.portal.app = spot.portal.app, create_app(apart)
    phone = spot.newcomer()
    try:
        assert has_landed(land(spot, "/guest/s/default/", address_of(phone), mac=phone.mac))
        assert not has_landed(land(spot, "/guest/s/default/", address_of(phone), mac=spot.newcomer().mac))
    finally:
        spot.portal_back()
        spot.portal.app = whole
