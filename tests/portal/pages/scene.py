"""The portal on loopback with the demo town behind it, and a guest in front of each of its pages."""

from __future__ import annotations

import ipaddress
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from ads.demo import load_announcements
from ads.loading import Wanted
from auth.audit import actor
from auth.devices import authority
from auth.devices import service as devices
from auth.devices.service import Enrolment
from auth.patrons.csv_import import import_patrons
from config import Secret, Settings
from db.base import Base
from gateways import landing_token
from gateways.landing_token import Landing, credential_digest
from gateways.types import MacAddress
from portal.app import create_app, make_services
from portal.services import Services
from sites.demo.town import MAP_FILE, load_demo
from sites.models import Gateway, Network, Site
from tests.clock import MovingClock
from tests.portal.visitors import issue
from tests.services.chromium import PATIENCE_MS
from tests.services.parts import free_port
from tests.town import credential_of

CARD, PIN = "25056000123", "saute-mouton-1969"
PHONE = ViewportSize(width=360, height=740)
LOOPBACK = ipaddress.ip_address("127.0.0.1")
FREE, LIBRARY, SILENT, CARRIED = "gw-viotte", "gw-bayle", "gw-silent", "gw-carried"


class QuietHandler(WSGIRequestHandler):
    """Requests are no news to the one who reads the tests."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@dataclass
class Portal:
    """The portal as it runs. Its clock moves only when a test moves it."""

    url: str
    port: int
    app: Flask
    services: Services
    clock: MovingClock
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_mac(self) -> MacAddress:
        """The address of a phone that nobody has seen before."""
        number = next(self._numbers)
        return MacAddress(f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")

    def landing_url(self, gateway: str, mac: str, lang: str) -> str:
        """Where this gateway's redirector would send that phone."""
        key = self.services.gateway_secrets.landing_key(credential_digest(credential_of(gateway)))
        landed = Landing(gateway, MacAddress(mac), LOOPBACK)
        token = landing_token.sign(landed, key=key, now=self.clock().timestamp())
        return f"{self.url}/?landing={token}&lang={lang}"


@contextmanager
def running_portal(
    folder: Path,
    *,
    prepare: Callable[[Session], None] | None = None,
    wanted: Wanted | None = None,
    host: str = "127.0.0.1",
    town: bool = True,
    **settings: Any,
) -> Iterator[Portal]:
    """The real application under a real server on a free port; `prepare` changes the town before anybody comes.

    `host` is what browsers call it: passkeys want a name. Without `town` there is nothing yet.

    `wanted` are other announcements than the demo town's as text alone.
    """
    port, clock = free_port(), MovingClock()
    values = {
        "secret_key": Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"),
        "portal_url": f"http://{host}:{port}",
        "database_url": f"sqlite:///{folder / 'town.sqlite3'}",
        "development": True,
        "town": "Besançon",
        "map_file": MAP_FILE,
        "contact": "03 81 61 50 50",
    }
    services = make_services(Settings(**{**values, **settings}), clock=clock)
    Base.metadata.create_all(services.engine)
    if town:
        fill(services, clock, wanted)
    if prepare is not None:
        with services.make_session.begin() as db:
            prepare(db)
    app = create_app(services)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, name="portal")
    thread.start()
    try:
        yield Portal(services.settings.portal_url, port, app, services, clock)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        services.wake.close()
        services.engine.dispose()


def fill(services: Services, clock: MovingClock, wanted: Wanted | None = None) -> None:
    """The demo town, its announcements, one patron, and four gateways: two of them never confirm anything."""
    with services.make_session.begin() as db:
        load_demo(db, now=clock())
        load_announcements(db, now=clock(), wanted=wanted)
        import_patrons(db, f"card,pin,category,expires_on,blocked\n{CARD},{PIN},adult,2027-12-31,no\n")
        places = {site.slug: site for site in db.scalars(select(Site))}
        networks = {network.slug: network for network in db.scalars(select(Network))}
        for identity, kind, site, network, options in (
            (FREE, "fake", "gare-viotte", "wifilib", {}),
            (LIBRARY, "fake", "pierre-bayle", "bibliotheques", {}),
            (SILENT, "nftables", "battant", "wifilib", {}),
            (
                CARRIED,
                "ruckus",
                "battant",
                "wifilib",
                {"nas_address": "192.0.2.20", "login_hosts": "192.0.2.20"},
            ),
        ):
            db.add(
                Gateway(
                    identity=identity,
                    kind=kind,
                    credential_digest=credential_digest(credential_of(identity)),
                    site=places[site],
                    network=networks[network],
                    client_prefixes=["127.0.0.0/8"],
                    options=options,
                )
            )


@dataclass
class Guest:
    """A person with a phone of their own, in front of one browser window."""

    portal: Portal
    page: Page
    lang: str
    mac: str

    def goto(self, path: str) -> None:
        mark = "&" if "?" in path else "?"
        self.page.goto(f"{self.portal.url}{path}{mark}lang={self.lang}")

    def land(self, gateway: str) -> None:
        self.page.goto(self.portal.landing_url(gateway, self.mac, self.lang))

    def press(self, action: str) -> None:
        """Press the button of the form that goes to `action`."""
        self.follow(self.page.locator(f'form[action^="{action}"] button').first)

    def follow(self, target: Locator) -> None:
        """Click a link or a button, and wait for the page that it leads to."""
        with self.page.expect_navigation():
            target.click()

    def sign_in(self, *, pin: str = PIN) -> None:
        self.land(LIBRARY)
        self.page.fill("#login", CARD)
        self.page.fill("#secret", pin)
        self.press("/signin")

    def go_online(self) -> None:
        self.land(FREE)
        self.portal.clock.advance(seconds=6)
        self.press("/pause")


def open_window(browser: Browser, **options: Any) -> BrowserContext:
    """A window as a phone has it, with its own cookies; no worker stands before what a test intercepts."""
    usual = {"viewport": PHONE, "device_scale_factor": 1, "service_workers": "block"}
    context = browser.new_context(**{**usual, **options})
    context.set_default_timeout(PATIENCE_MS)
    return context


def never_asked(context: BrowserContext) -> BrowserContext:
    """The window of somebody whom no page has asked yet whether it may notify: Chromium without windows, which has
    nobody to ask, refuses at once."""
    context.add_init_script("Object.defineProperty(Notification, 'permission', {get: () => 'default'})")
    return context


def new_guest(portal: Portal, context: BrowserContext, lang: str) -> Guest:
    return Guest(portal, context.new_page(), lang, portal.new_mac())


def landing_free(guest: Guest) -> None:
    guest.land(FREE)


def landing_library(guest: Guest) -> None:
    guest.land(LIBRARY)


def landing_refused(guest: Guest) -> None:
    guest.sign_in(pin="not-the-right-one")


def landing_resumable(guest: Guest) -> None:
    guest.go_online()
    guest.mac = guest.portal.new_mac()
    guest.land(FREE)


def pause_early(guest: Guest) -> None:
    guest.land(FREE)
    guest.press("/pause")
    # As in `opening`: the page's own question is answered with "stay".
    guest.page.route("**/pause/pressed*", lambda asked: asked.fulfill(status=204))


def pause_renewal(guest: Guest) -> None:
    status_free_late(guest)
    visit = guest.page.locator('form[action^="/pause"] input[name="visit"]').get_attribute("value")
    guest.goto(f"/pause?visit={visit}")


def resume_refused(guest: Guest) -> None:
    """By the code: typed with a slip."""
    guest.land(FREE)
    guest.follow(guest.page.locator('a[href^="/resume"]'))
    guest.page.fill("#code", "R7K2-M9QX")
    guest.press("/resume")


def opening(guest: Guest) -> None:
    guest.land(SILENT)
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    # The page asks again by itself: its own question is answered with "stay", so that a test can look in peace.
    guest.page.route("**/opening*", lambda asked: asked.fulfill(status=204))


def redirect_by_a_box(guest: Guest) -> None:
    """As a gateway of another make sends its guests."""
    guest.goto(f"/gateways/ruckus/{CARRIED}/?sip=192.0.2.20&client_mac={guest.mac}&uip={LOOPBACK}")


def carry(guest: Guest) -> None:
    redirect_by_a_box(guest)
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")


def carry_refused(guest: Guest) -> None:
    """The gateway has sent the browser back twice, and still lets nothing through."""
    carry(guest)
    redirect_by_a_box(guest)
    redirect_by_a_box(guest)


def status_free(guest: Guest) -> None:
    guest.go_online()


def status_free_late(guest: Guest) -> None:
    guest.go_online()
    guest.portal.clock.advance(minutes=26)
    guest.follow(guest.page.locator('main a[href^="/status"]'))


def status_library(guest: Guest) -> None:
    guest.sign_in()
    guest.mac = guest.portal.new_mac()
    guest.page.context.clear_cookies()
    guest.sign_in()


def pass_from_a_link(guest: Guest) -> None:
    guest.land(LIBRARY)
    visit = guest.page.locator('form[action^="/pass"] input[name="visit"]').get_attribute("value")
    guest.goto(f"/pass/7k2-m9q-xah?visit={visit}")


def pass_with_a_slip(guest: Guest) -> None:
    guest.land(LIBRARY)
    guest.page.fill("#code", "7K2-O9Q-XAH")
    guest.press("/pass")


def pass_in_use(guest: Guest) -> None:
    code = issue(guest.portal.services).codes[0]
    status_pass(guest, code)
    guest.mac = guest.portal.new_mac()
    guest.page.context.clear_cookies()
    guest.land(LIBRARY)
    guest.page.fill("#code", code)
    guest.press("/pass")


def status_pass(guest: Guest, code: str | None = None) -> None:
    guest.land(LIBRARY)
    guest.page.fill("#code", code or issue(guest.portal.services).codes[0])
    guest.press("/pass")


def landing_kept(guest: Guest) -> None:
    """With a pass and a card that the browser keeps."""
    status_pass(guest)
    guest.press("/keep")
    guest.follow(guest.page.locator('form[action^="/leave"] button').last)
    guest.sign_in()
    guest.press("/keep")
    guest.follow(guest.page.locator('form[action^="/leave"] button').last)
    guest.land(LIBRARY)


def yours(guest: Guest) -> None:
    status_library(guest)
    guest.page.locator('details:has(a[href*="/yours"]) summary').click()
    guest.follow(guest.page.locator('a[href*="/yours"]'))


def profile(guest: Guest) -> None:
    """The form, with a device below it that has a profile already."""
    with_access_point(guest.portal)
    guest.sign_in()
    guest.page.locator('details:has(a[href*="/profile"]) summary').click()
    guest.follow(guest.page.locator('a[href*="/profile"]'))


def profile_ready(guest: Guest) -> None:
    profile(guest)
    guest.page.fill("#login", CARD)
    guest.page.fill("#secret", PIN)
    guest.press("/profile")


def with_access_point(portal: Portal) -> None:
    """An access point with an encrypted network in the library, its authority, and one device of the patron."""
    services = portal.services
    with services.make_session.begin() as db:
        if db.scalars(select(Gateway).where(Gateway.kind == "enterprise")).first() is not None:
            return
        bayle = db.scalars(select(Gateway).where(Gateway.identity == LIBRARY)).one()
        access_point = Gateway(
            identity="ap-bayle",
            kind="enterprise",
            credential_digest=credential_digest(credential_of("ap-bayle")),
            site=bayle.site,
            network=bayle.network,
            client_prefixes=["10.98.0.0/24"],
            options={"nas_address": "10.9.0.1", "ssid": "BIBLIOTHEQUES-SECURE"},
        )
        db.add(access_point)
        tokens, now = services.encrypted_tokens, portal.clock()
        authority.make(db, "Besançon Wi-Fi", tokens=tokens, actor=actor.command_line(""), now=now)
        subject = services.pseudonyms.of("patron", CARD)
        wish = Enrolment(subject, CARD, "Tablette", "0" * 32, "2026-1", "fr", "0" * 64)
        devices.enrol(db, wish, tokens=tokens, now=now)
    services.places.forget()


def ended(guest: Guest) -> None:
    guest.go_online()
    guest.follow(guest.page.locator('form[action^="/leave"] button').last)


PAGES: dict[str, Callable[[Guest], None]] = {
    "landing-free": landing_free,
    "landing-library": landing_library,
    "landing-kept": landing_kept,
    "landing-refused": landing_refused,
    "landing-resumable": landing_resumable,
    "pause-early": pause_early,
    "pause-renewal": pause_renewal,
    "resume": resume_refused,
    "opening": opening,
    "carry": carry,
    "carry-refused": carry_refused,
    "status-free": status_free,
    "status-late": status_free_late,
    "status-library": status_library,
    "pass-from-a-link": pass_from_a_link,
    "pass-with-a-slip": pass_with_a_slip,
    "pass-in-use": pass_in_use,
    "pass-elsewhere": lambda guest: guest.goto("/pass/7k2-m9q-xah"),
    "status-pass": status_pass,
    "yours": yours,
    "profile": profile,
    "profile-ready": profile_ready,
    "ended": ended,
    "not-here": lambda guest: guest.goto("/"),
    "info": lambda guest: guest.goto("/info/pierre-bayle"),
    "hotspots": lambda guest: guest.goto("/hotspots"),
    "site-states": lambda guest: guest.goto("/hotspots/status"),
    "away": lambda guest: guest.goto("/away"),
    "terms": lambda guest: guest.goto("/terms/wifilib"),
    "privacy": lambda guest: guest.goto("/privacy"),
    "accessibility": lambda guest: guest.goto("/accessibilite"),
    "error": lambda guest: guest.goto("/nowhere"),
}
