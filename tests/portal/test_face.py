"""The network's own look is on every page that its guests see, and the town's on those of everybody else."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import update

from portal.services import Services
from sessions import sightings
from sites.import_export import NETWORKS
from sites.models import Gateway, Network
from tests.imports import import_records
from tests.portal.conftest import Phone
from tests.town import Town, make_client

# Every page that a guest on the library's network may meet, and what she never posted.
PAGES = [
    "/info/gare-viotte",
    "/hotspots",
    "/privacy",
    "/accessibilite",
    "/terms/wifilib",
    "/nowhere",
    "/pass",
]
LOOK = (
    "slug,accent,accent_dark,public_contact,title_fr,title_en,welcome_fr,links_fr\n"
    "bibliotheques,#7a1f5c,#e79ccb,03 81 87 81 40,Le wifi des lecteurs,The readers’ wifi,"
    "Entrez sans frapper.,Mairie https://www.besancon.example/ | Agenda https://agenda.besancon.example/\n"
)


@pytest.fixture
def reader(app: Flask, town: Town, services: Services) -> Phone:
    """A phone at the library, whose network has a look of its own."""
    with services.make_session.begin() as db:
        import_records(db, NETWORKS, LOOK.encode())
    services.places.forget()
    return Phone(app, town.pierre_bayle, address="10.68.0.5")


def head_of(page: str) -> str:
    """Stripe, sign and name."""
    found = re.search(r'<svg class="stripe".*?</a>', page, re.DOTALL)
    assert found is not None
    return re.sub(r'href="[^"]*"', "", found[0])


def test_the_head_is_the_same_on_every_page(reader: Phone) -> None:
    heads = {path: head_of(reader.get(path).text) for path in PAGES}
    own = head_of(reader.land().text)
    assert "#7a1f5c" in own and "#e79ccb" in own and "<bdi>Bibliothèques</bdi>" in own
    assert {path for path, head in heads.items() if head != own} == set()


def test_an_error_keeps_the_head_while_a_page_is_posted(reader: Phone) -> None:
    reader.land()
    refused = reader.post("/signin", visit="broken")
    assert refused.status_code >= 400
    assert head_of(refused.text) == head_of(reader.land().text)


def test_where_two_networks_share_their_addresses_the_gateways_word_decides(
    reader: Phone, services: Services, town: Town
) -> None:
    own = head_of(reader.get("/hotspots").text)
    with services.make_session.begin() as db:
        db.execute(update(Gateway).values(client_prefixes=["10.0.0.0/8"]))
    services.places.forget()
    assert "Wifi in" in head_of(reader.get("/nowhere").text) != own
    with services.make_session.begin() as db:
        client = make_client(reader.mac, reader.address)
        sightings.see(db, gateway_id=town.pierre_bayle.id, client=client, now=services.clock())
    assert head_of(reader.get("/nowhere").text) == own


def test_a_stranger_sees_the_towns(reader: Phone, app: Flask, town: Town) -> None:
    stranger = Phone(app, town.station, address="192.0.2.1")
    for path in PAGES:
        assert "#7a1f5c" not in stranger.get(path).text, path


def test_links_and_contact_are_the_networks_own(reader: Phone) -> None:
    for path in ("/hotspots", "/nowhere"):
        foot = reader.get(f"{path}?lang=en").text.partition("<footer>")[2]
        assert 'href="https://www.besancon.example/" lang="fr" rel="noreferrer">Mairie<' in foot
        assert foot.count("besancon.example") == 2
        assert 'href="tel:0381878140"' in foot


@pytest.mark.parametrize(
    ("lang", "title", "welcome"),
    [
        ("fr", 'lang="fr" dir="auto">Le wifi des lecteurs<', 'lang="fr" dir="auto">Entrez sans frapper.<'),
        ("en", 'lang="en" dir="auto">The readers’ wifi<', 'lang="fr" dir="auto">Entrez sans frapper.<'),
    ],
)
def test_the_first_page_has_the_networks_own_words(
    reader: Phone, lang: str, title: str, welcome: str
) -> None:
    page = reader.get(f"/?landing={reader.landing_token()}&lang={lang}").text
    assert f"<h1 {title}" in page and f"<p {welcome}" in page
    assert '<p class="where"><bdi>' in page


def test_a_look_that_an_older_version_let_in_is_drawn_with_the_houses_colours(
    reader: Phone, services: Services
) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Network).values(look={"accent": "#ffcc00"}))
    services.places.forget()
    assert "#ffcc00" not in reader.land().text
