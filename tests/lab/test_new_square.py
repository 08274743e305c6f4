"""From a new square to its first guest: pages alone, and the two lines that are pasted on its gateway."""

from __future__ import annotations

import re
import shlex
import sys
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from auth.staff.roles import Role
from db.engine import reading
from gateways.nftables.configuration import read
from lab import doors, staff
from lab.guest import Browser
from lab.hotspot import PORTAL_URL, Hotspot, hotspot, now
from lab.journeys import PROBE, is_online
from lab.network import client_prefix
from lab.records import REDIRECTOR_PORT
from lab.report import until
from lab.waiting import await_port
from sessions.models import AccessSession, Lease
from tests.services.parts import program
from tests.services.town import opened

SQUARE = {
    "name": "Place Granvelle",
    "slug": "granvelle",
    "kind": "square",
    "address": "Place Granvelle, Besançon",
    "latitude": "47.2352",
    "longitude": "6.0249",
    "networks": "wifilib",
    "state": "live",
    "zone": "Europe/Paris",
    "ads_allowed": "true",
}


def signed_in(place: Hotspot) -> Browser:
    """The network team's browser, with both factors."""
    office, login = place.office(), Role.NETWORK.value
    page = office.get(f"{PORTAL_URL}/staff/signin")
    page = office.submit(page, "/staff/signin", login=login, password=staff.PASSWORD)
    office.submit(page, "/staff/signin/code", code=staff.codes(place.services, at=now())[login])
    return office


def two_lines(office: Browser, place: Hotspot) -> tuple[str, list[str]]:
    """The square and its gateway added; the credential and the words of the program in the lines to paste."""
    page = office.get(f"{PORTAL_URL}/staff/records/sites/-/new")
    page = office.submit(page, "/staff/records/sites/-/new", **SQUARE)
    assert page.path == "/staff/records/sites/granvelle", page.text
    gateway = place.net.gateways[0]
    page = office.get(f"{PORTAL_URL}/staff/records/gateways/-/new")
    page = office.submit(
        page,
        "/staff/records/gateways/-/new",
        identity="granvelle-libre",
        kind="nftables",
        site="granvelle",
        network="wifilib",
        client_prefixes=" ".join(str(client_prefix(version, 0)) for version in (4, 6)),
        redirector_url=f"http://{gateway.address(4)}:{REDIRECTOR_PORT}/",
    )
    (pasted,) = re.findall(r'<pre class="lines"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    first, second = unescape(pasted).strip().splitlines()
    credential = shlex.split(first)[-1]
    words = shlex.split(second.partition(" -m ")[2])
    assert words[0] == "gateways.nftables.enrol" and words[-1] == "--start"
    return credential, words[:-1]


@pytest.mark.netns
def test_pages_and_two_lines_bring_a_square_online_and_its_first_guest_is_counted(tmp_path: Path) -> None:
    """The gateway was another one's before: its cards and addresses are there, and nothing else is."""
    for part in ("dnsmasq", "openssl"):
        program(part)
    with opened():
        pass
    with hotspot(tmp_path, [doors.STATION]) as place:
        staff.hire(place.services, at=now())
        place.start()
        machine = place.net.gateways[0]
        place.kill_agent(machine)
        credential, words = two_lines(signed_in(place), place)
        secret, settings = tmp_path / "gateway.credential", tmp_path / "agent.toml"
        secret.write_text(credential)
        here = ["--credential-file", str(secret), "--settings", str(settings)]
        here += [
            "--dnsmasq",
            str(tmp_path / "dnsmasq.conf"),
            "--ca-file",
            str(place.papers.authority.certificate),
        ]
        done = machine.ns.run([sys.executable, "-m", *words, *here], check=False)
        assert done.returncode == 0, done.stderr
        found = read(settings)
        assert (found.client_interface, found.uplink_interface) == (machine.clients, machine.uplink)
        assert set(found.portal_addresses) >= {place.net.portal_address(4)}
        with settings.open("a") as more:
            more.write(f'state_directory = "{tmp_path / "state"}"\nreport_seconds = 0.5\n')
        log = place.log("agent-new")
        agent = machine.ns.python(
            "-m", "gateways.nftables.agent", "--config", str(settings), stdout=log, stderr=log
        )
        await_port(
            machine.ns, str(machine.address(4)), REDIRECTOR_PORT, agent, tmp_path / "log/agent-new.log"
        )
        guest = place.guest(place.net.phone[0])
        place.join(guest, machine)
        assert not is_online(guest)
        until(lambda: guest.get(PROBE).has_form("/pause"), 20)
        # The press comes before the message could be read: its page asks again until it counts.
        pressed = guest.submit(guest.get(PROBE), "/pause")
        until(lambda: bool(guest.get(pressed.url)) and is_online(guest), 30, every=0.5)
        with reading(place.services.make_session) as db:
            access = db.scalars(select(AccessSession)).one()
            assert access.site.slug == "granvelle" and access.gateway.identity == "granvelle-libre"
            assert db.scalars(select(Lease.confirmed_at)).one() is not None
