"""A phone behind a CoovaChilli: its browser goes to portal, gateway and back, and the gateway asks by RADIUS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Route
from pyrad import packet
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.landing_token import credential_digest
from gateways.types import MacAddress
from gateways.uam.encodings import uam_key
from gateways.uam.signature import sign
from portal.cli.radius_config import SHARED_SECRET, nas_of
from portal.gateway_api.secrets import secret_of
from portal.gateway_api.uam import UAMSECRET, uamserver_of
from sites.models import Gateway, Network, Site
from tests.portal.pages.scene import CARD, PIN, Guest, Portal, new_guest, open_window, running_portal
from tests.services.freeradius import running_freeradius
from tests.services.nas import RadiusNas
from tests.town import credential_of

CHILLI = "gw-chilli"


@dataclass
class Box:
    """CoovaChilli's web side: it sends on who does not pass, and asks by RADIUS for who signs in."""

    uamserver: str
    uamsecret: str
    nas: RadiusNas
    mac: MacAddress
    port: int = 0
    passing: dict[str, int] = field(default_factory=dict)
    challenges: list[str] = field(default_factory=list)

    def answer(self, path: str) -> str:
        """Where it sends the browser that asks for this."""
        parts = urlsplit(path)
        if parts.path == "/logon":
            return self._logon({name: values[0] for name, values in parse_qs(parts.query).items()})
        return self._redirect("already" if self.mac in self.passing else "notyet")

    def _logon(self, said: dict[str, str]) -> str:
        key = uam_key(self.challenges[-1], self.uamsecret)
        reply = self.nas.ask(
            said["username"],
            "",
            how="none",
            CHAP_Password=b"\x00" + bytes.fromhex(said["response"]),
            CHAP_Challenge=key,
            Calling_Station_Id=self.mac.upper().replace(":", "-"),
            Framed_IP_Address="127.0.0.1",
            Acct_Session_Id="1",
            Service_Type="Login-User",
        )
        if reply.code != packet.AccessAccept:
            return self._redirect("failed", reason="reject")
        self.passing[self.mac] = reply["Session-Timeout"][0]
        return self._redirect("success")

    def _redirect(self, res: str, **more: str) -> str:
        self.challenges.append(f"{len(self.challenges) + 1:032x}")
        said = {"res": res, "uamip": "127.0.0.1", "uamport": str(self.port), "challenge": self.challenges[-1]}
        said |= {"mac": self.mac.upper().replace(":", "-"), "ip": "127.0.0.1"} | more
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items())
        address = f"{self.uamserver}?{query}"
        return f"{address}&md={sign(address.encode(), uamsecret=self.uamsecret)}"


def prepare(db: Session) -> None:
    site = db.scalars(select(Site).where(Site.slug == "pierre-bayle")).one()
    network = db.scalars(select(Network).where(Network.slug == "bibliotheques")).one()
    db.add(
        Gateway(
            identity=CHILLI,
            kind="coovachilli",
            credential_digest=credential_digest(credential_of(CHILLI)),
            site=site,
            network=network,
            client_prefixes=["127.0.0.0/8"],
            options={"nas_address": "127.0.0.1"},
        )
    )


@contextmanager
def running_box(portal: Portal, folder: Path) -> Iterator[Box]:
    """The box with its FreeRADIUS, which asks that portal."""
    gateway = portal.services.places.by_identity(CHILLI)
    assert gateway is not None
    with portal.app.app_context():
        secrets = secret_of(gateway, UAMSECRET), secret_of(gateway, SHARED_SECRET)
        uamserver, nas = uamserver_of(gateway), nas_of([gateway])
    with running_freeradius(folder / "radius", portal=portal.url, nas=nas) as server:
        asking = RadiusNas(server, secrets[1], patience=10.0)
        box = Box(uamserver, secrets[0], asking, portal.new_mac())

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", box.answer(self.path))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        box.port = web.server_port
        thread = threading.Thread(target=web.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield box
        finally:
            web.shutdown()
            thread.join()
            web.server_close()
            asking.close()


def test_a_phone_without_script_gets_online_through_a_carried_sign_in(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> None:
    folder = tmp_path_factory.mktemp("carried")
    with running_portal(folder, prepare=prepare) as portal, running_box(portal, folder) as box:
        for cookies in (True, False):
            with open_window(chromium, java_script_enabled=False) as window:
                if not cookies:
                    window.route("**/*", without_cookies)
                get_online(new_guest(portal, window, "fr"), box)


def get_online(guest: Guest, box: Box) -> None:
    box.mac = guest.portal.new_mac()
    guest.page.goto(f"http://127.0.0.1:{box.port}/anything")
    guest.page.fill("#login", CARD)
    guest.page.fill("#secret", PIN)
    guest.page.locator('form[action^="/signin"] button').first.click()
    # By the page that leads to the gateway, the gateway itself, RADIUS, and back.
    guest.page.wait_for_selector("#left")
    assert 0 < box.passing[box.mac] <= 4 * 3600
    guest.page.goto(f"http://127.0.0.1:{box.port}/anything")
    guest.page.wait_for_selector("#left")


def without_cookies(route: Route) -> None:
    kept = {name: value for name, value in route.request.headers.items() if name.lower() != "cookie"}
    route.continue_(headers=kept)
