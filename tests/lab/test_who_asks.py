"""On the whole hotspot, real agent and kernel: a phone that walks, and somebody who takes another's address."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from db.engine import reading
from lab import doors, internet
from lab.guest import Guest, Page
from lab.hotspot import PORTAL_URL, Hotspot, hotspot
from lab.journeys import accept, is_online, is_reachable
from lab.network import Phone, client_prefix
from lab.report import until
from lab.tour import compress
from sessions.models import AccessSession
from sites.models import Network
from tests.services.parts import program
from tests.services.town import opened

STATION, BATTANT = 0, 1
# It is well under a second where the machine is idle; where it goes wrong, it is never.
LONGEST = 40.0
SECRETS = ("Vous êtes en ligne", "/yours.json", 'action="/leave', "pseudonym")


class GuestOver6(Guest):
    """The same, who finds the portal under its IPv6 address."""

    def resolve(self, name: str) -> str:
        return "2001:db8:113::2" if name in PORTAL_URL else super().resolve(name)


# Each test has phones of its own in the one hotspot, so that no state has to be put back.
WALKS = 0
OWNER_AND_THIEF = {(True, 4): (1, 2), (True, 6): (3, 4), (False, 4): (5, 6), (False, 6): (7, 8)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotspot]:
    for part in ("dnsmasq", "openssl"):
        program(part)
    with opened():
        pass
    sites = [doors.STATION, doors.BATTANT]
    with hotspot(tmp_path_factory.mktemp("hotspot"), sites, phones=9, tells_leases=False) as place:
        compress(place)
        with place.services.make_session.begin() as db:
            for network in db.scalars(select(Network)):
                network.lease_seconds = 600
        place.start()
        yield place


def open_session(place: Hotspot, guest: Guest) -> AccessSession | None:
    with reading(place.services.make_session) as db:
        return db.scalars(
            select(AccessSession).where(
                AccessSession.mac == guest.phone.mac, AccessSession.ended_at.is_(None)
            )
        ).first()


def get_on(place: Hotspot, guest: Guest) -> None:
    place.join(guest, place.net.gateways[STATION])
    accept(guest)
    until(lambda: is_online(guest), LONGEST)
    outside = str(place.net.internet_address(6))
    until(lambda: is_reachable(guest.phone, outside, internet.WEB, socket.AF_INET6), LONGEST)


@pytest.mark.netns
def test_a_phone_of_both_families_walks_to_a_site_whose_agent_knows_no_dhcp_leases(place: Hotspot) -> None:
    guest = place.guest(place.net.phone[WALKS])
    get_on(place, guest)
    before = open_session(place, guest)
    capport = place.join(guest, place.net.gateways[BATTANT])
    # The first answer of all waits for the gateway's word rather than say something that is not so.
    answer = guest.capport(capport)
    assert answer["captive"] is False and answer["seconds-remaining"] > 0
    until(lambda: is_online(guest), LONGEST)
    outside = str(place.net.internet_address(6))
    until(lambda: is_reachable(guest.phone, outside, internet.WEB, socket.AF_INET6), LONGEST)
    after = open_session(place, guest)
    assert before is not None and after is not None
    assert (after.id, after.until) == (before.id, before.until)


@pytest.mark.netns
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "present"])
def test_whoever_takes_the_address_of_somebody_online_is_nobody(
    place: Hotspot, monkeypatch: pytest.MonkeyPatch, version: int, is_gone: bool
) -> None:
    monkeypatch.setattr("lab.guest.TIMEOUT_SECONDS", 3.0)
    owning, stealing = (place.net.phone[number] for number in OWNER_AND_THIEF[is_gone, version])
    owner = place.guest(owning)
    get_on(place, owner)
    assert owner.get(f"{PORTAL_URL}/status").has_form("/leave")
    thief = _thief(place, stealing, version)
    stolen = _address(owner, version)
    if is_gone:
        owner.phone.ns.ip("link set wlan0 down")
    _take(thief, stolen, version)
    for path in ("/status", "/yours", "/yours.json", "/pause"):
        page = _tried(thief, path)
        assert page is None or not any(word in page.text for word in SECRETS), page.url
    _posted(thief, "/leave")
    assert open_session(place, owner) is not None


def _thief(place: Hotspot, phone: Phone, version: int) -> Guest:
    """Somebody who joined like everybody, and knows the way to the portal."""
    kind = Guest if version == 4 else GuestOver6
    thief = kind(phone, place.papers.authority.certificate)
    place.join(thief, place.net.gateways[STATION])
    return thief


def _address(owner: Guest, version: int) -> str:
    """The address that the owner's packets to the Internet come from, as anybody sees it on the air."""
    family, outside = (
        (socket.AF_INET, "203.0.113.1") if version == 4 else (socket.AF_INET6, "2001:db8:113::1")
    )
    with owner.phone.ns.socket(family, socket.SOCK_DGRAM) as line:
        line.connect((outside, 9))
        return str(line.getsockname()[0])


def _take(thief: Guest, address: str, version: int) -> None:
    """Set the address in the place of one's own, and say one ordinary word to the gateway."""
    ns, way = thief.phone.ns, str(client_prefix(version, STATION)[1])
    family, length, rest = (("-4", 24, []), ("-6", 64, ["nodad"]))[version == 6]
    if version == 6:
        ns.set_kernel({"net/ipv6/conf/wlan0/accept_ra": "0"})
    ns.run(["ip", family, "addr", "flush", "dev", "wlan0", "scope", "global"])
    ns.run(["ip", family, "addr", "add", f"{address}/{length}", "dev", "wlan0", *rest])
    ns.run(["ip", family, "route", "replace", "default", "via", way])
    ns.run(["ping", "-c1", "-W1", way], check=False)


def _tried(thief: Guest, path: str) -> Page | None:
    """The page that the thief gets in the end; None where the network lets nothing through."""
    try:
        return thief.get(f"{PORTAL_URL}{path}")
    except OSError:
        return None


def _posted(thief: Guest, path: str, **form: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        thief.fetch("POST", f"{PORTAL_URL}{path}", body=urlencode(form).encode(), headers=headers)
    except OSError:
        return
