"""What goes over the air: how much, under which names, and with which certificate."""

from __future__ import annotations

import gzip
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import time

import pytest
from sqlalchemy import select

from gateways.landing_token import Landing, sign
from gateways.types import parse_mac
from lab.doors import LIBRARY, STATION
from lab.hotspot import now
from lab.report import until
from portal.guest.assets import ASSETS
from sites import pictures
from sites.images.preparing import prepare
from sites.images.shapes import LOGO, PHOTOGRAPH
from sites.import_export import NETWORKS
from sites.models import Gateway, Network
from tests.front.conftest import HOST, SECONDS, Site
from tests.imports import import_records
from tests.sites.images import made

LARGEST_FIRST_PAGE = 6_000
# The first TCP window (RFC 6928): with the placeholder of a photograph, which comes afterwards.
LARGEST_WITH_PHOTOGRAPH = 14_000
LOOK = (
    "slug,accent,accent_dark,public_contact,title_fr,title_en,welcome_fr,welcome_en,links_fr\n"
    "wifilib,#7a1f5c,#e79ccb,03 81 61 50 50,Le wifi de toute la ville,The wifi of all the town,"
    "Bienvenue à Besançon : trente minutes pour un message.,Welcome to Besançon: thirty minutes for one message.,"
    "Mairie https://www.besancon.example/ | Agenda https://agenda.besancon.example/\n"
)


def landing_path(site: Site, identity: str) -> str:
    gateway = site.services.places.by_identity(identity)
    assert gateway is not None
    seen = Landing(gateway.identity, parse_mac("02:00:00:00:0a:01"), ipaddress.ip_address("127.0.0.1"))
    key = site.services.gateway_secrets.landing_key(gateway.credential_digest)
    return f"/?landing={sign(seen, key=key, now=now().timestamp())}"


def bytes_of(site: Site, path: str, encodings: str) -> bytes:
    """The whole answer as it comes, head and body."""
    head = f"GET {path} HTTP/1.1\r\nHost: {site.name}\r\nConnection: close\r\n"
    with site.connect() as line:
        line.sendall(f"{head}Accept-Encoding: {encodings}\r\n\r\n".encode())
        result = b""
        while part := line.recv(65536):
            result += part
    return result


def weight_with(site: Site, path: str, words: str) -> int:
    """How many bytes are sent for this page once it has these words: workers remember rows for two seconds."""

    def look() -> int | None:
        answer, body = site.ask(path, headers={"Accept-Encoding": "gzip, deflate, br"})
        head = sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())
        return (
            head + len("HTTP/1.1 200 OK\r\n\r\n") + len(body)
            if words in gzip.decompress(body).decode()
            else None
        )

    return until(look, SECONDS)[0] or 0


@pytest.mark.parametrize("door", [STATION, LIBRARY], ids=lambda door: door.network)
def test_the_first_page_weighs_less_than_the_readme_says(site: Site, door: object) -> None:
    identity = door.identity
    result = bytes_of(site, landing_path(site, identity), "gzip, deflate, br")
    assert result.startswith(b"HTTP/1.1 200")
    assert len(result) < LARGEST_FIRST_PAGE


def test_the_first_page_in_full_dress_fits_into_the_first_window(site: Site) -> None:
    """Own words, links, logo, and a photograph whose placeholder stands in the page."""
    words = {"fr": "La gare Viotte", "en": "Viotte station"}
    mark, photo = prepare(made.logo(), "a.png", LOGO), prepare(made.photograph(), "a.jpg", PHOTOGRAPH)
    with site.services.make_session.begin() as db:
        import_records(db, NETWORKS, LOOK.encode())
        network = db.scalars(select(Network).filter_by(slug=STATION.network)).one()
        pictures.set_logo(db, network, mark, alt=words)
    path = landing_path(site, STATION.identity)
    without = weight_with(site, path, 'class="logo"')
    assert without < LARGEST_FIRST_PAGE
    with site.services.make_session.begin() as db:
        station = db.scalars(select(Gateway).filter_by(identity=STATION.identity)).one().site
        pictures.set_photograph(db, station, photo, alt=words)
        reference = pictures.photograph(station)
    whole = weight_with(site, path, 'class="photo"')
    assert without < whole < LARGEST_WITH_PHOTOGRAPH
    assert reference is not None
    for one in reference.files:
        answer, body = site.ask(f"/images/{one.name}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, one.media_type)
        assert (
            "immutable" in answer.headers["Cache-Control"]
            and "sandbox" in answer.headers["Content-Security-Policy"]
        )
        assert made.opened(body).size == (one.width, one.height)


def test_a_browser_gets_the_encoding_that_it_can_read(site: Site) -> None:
    plain, whole = site.ask("/hotspots", headers={"Accept-Encoding": "identity"})
    assert plain.headers["Content-Encoding"] is None
    packed, body = site.ask("/hotspots", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(body) < len(whole) / 3
    assert gzip.decompress(body) == whole
    refused, _ = site.ask("/hotspots", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.headers["Content-Encoding"] is None


def test_a_script_of_ours_is_compressed_and_kept(site: Site) -> None:
    path = f"/assets/{ASSETS['status.js'].hashed_name}"
    plain, whole = site.ask(path, headers={"Accept-Encoding": "identity"})
    packed, body = site.ask(path, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(body) == whole == ASSETS["status.js"].body
    assert packed.headers["Cache-Control"] == plain.headers["Cache-Control"]
    assert "immutable" in packed.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/staff/signin", "/api/v1/openapi.json"])
def test_pages_with_secrets_are_not_compressed(site: Site, path: str) -> None:
    answer, body = site.ask(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status == 200
    assert len(body) > 1000
    assert answer.headers["Content-Encoding"] is None


def test_plain_http_leads_to_the_portal_and_to_nothing_else(site: Site) -> None:
    answer, _ = site.ask("/status?x=1", tls=False)
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://{site.name}/status?x=1"
    other, _ = site.ask("/generate_204", tls=False, headers={"Host": "connectivitycheck.gstatic.com"})
    assert (other.status, other.headers["Location"]) == (421, None)


def test_plain_http_on_the_port_of_tls_leads_to_the_portal(site: Site) -> None:
    with socket.create_connection((HOST, site.front.secure_port), SECONDS) as line:
        line.sendall(f"GET /pass HTTP/1.1\r\nHost: {site.name}\r\n\r\n".encode())
        assert f"Location: https://{site.name}/pass".encode() in line.recv(65536)


def test_another_name_is_told_ours(site: Site) -> None:
    answer, page = site.ask("/hotspots", headers={"Host": "evil.example"})
    assert answer.status == 421
    assert f"https://{site.name}/" in page.decode()


def test_a_renewed_certificate_is_taken_without_a_restart(site: Site) -> None:
    def serial() -> object:
        with site.connect() as line:
            found = line.getpeercert()
            assert found is not None
            return found["serialNumber"]

    def renew() -> None:
        authority = site.authority
        fresh = authority.issue(HOST, label="renewed")
        shutil.copy(fresh.certificate_file, site.front.certificate)
        shutil.copy(fresh.key_file, site.front.key)

    before = serial()
    with site.connect() as kept:
        renew()
        os.kill(site.processes["front"].pid, signal.SIGHUP)
        deadline = time.monotonic() + SECONDS
        # For a moment the old processes still take connections, too.
        while before in [serial() for _ in range(10)]:
            assert time.monotonic() < deadline, "it still shows the old certificate"
        # Who was connected is not cut off: one more answer comes on the old line.
        kept.sendall(f"GET /healthz HTTP/1.1\r\nHost: {site.name}\r\nConnection: close\r\n\r\n".encode())
        assert kept.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_old_tls_is_refused(site: Site) -> None:
    trust = ssl.create_default_context(cafile=site.authority.ca_file)
    trust.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    trust.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection((HOST, site.front.secure_port), SECONDS)
    with plain, pytest.raises((ssl.SSLError, ConnectionError)):
        trust.wrap_socket(plain, server_hostname=HOST)


def test_while_the_portal_is_away_the_page_says_so_and_asks_again(site: Site) -> None:
    portal = site.processes["portal"]
    os.killpg(portal.pid, signal.SIGKILL)
    portal.wait()
    answer, page = site.ask("/", headers={"Accept-Language": "en"})
    assert answer.status == 502
    assert answer.headers["Refresh"] == answer.headers["Retry-After"] == "3"
    assert "The portal is away for a moment." in page.decode()
    bearer = {"Authorization": f"Bearer {site.credentials[STATION.identity]}"}
    assert site.ask("/gateways/nftables/feed?since=0", headers=bearer)[0].status == 200
    assert site.ask("/staff/signin")[0].status == 200
