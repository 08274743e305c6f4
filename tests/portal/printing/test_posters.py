"""The poster for the door: two codes that a camera reads, the true address, the sign, on one page of the right size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.printing.posters import PosterPaper, poster_of, print_poster
from portal.printing.wifi_qr import joining_uri
from portal.services import Services
from sites.models import Network, Site
from tests.portal.conftest import PORTAL
from tests.portal.dressing import run
from tests.portal.printing.printed import read_codes, read_facts, read_text, render, squeezed
from tests.sites.images import made
from tests.town import Town

SIZES = {"a4": "595.276 x 841.89 pts (A4)", "a3": "841.89 x 1190.55 pts (A3)"}
LONG = (
    "Médiathèque Pierre-de-Coubertin et Maison des associations des Grandes-Vignes et de la Combe-aux-Chiens"
)


def poster(app: Flask, folder: Path, *options: str, slug: str = "gare-viotte") -> bytes:
    done = run(app, "sites", "poster", slug, f"{folder}/poster.pdf", *options)
    assert done.exit_code == 0, done.output
    return (folder / "poster.pdf").read_bytes()


def change(services: Services, row: type[Network] | type[Site], slug: str, **values: Any) -> None:
    with services.make_session.begin() as db:
        found = db.scalars(select(row).where(row.slug == slug)).one()
        for name, value in values.items():
            setattr(found, name, value)


@pytest.mark.parametrize("paper", SIZES)
def test_a_poster_is_one_page_with_two_codes(app: Flask, town: Town, tmp_path: Path, paper: str) -> None:
    pdf = poster(app, tmp_path, "--paper", paper)
    facts = read_facts(pdf)
    assert "Pages:           1" in facts and SIZES[paper] in facts and "Tagged:          yes" in facts
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert read_facts(pdf, "-struct").count("Figure") == 3
    (codes,) = read_codes(pdf, tmp_path)
    assert {code.text for code in codes} == {joining_uri("WIFILIB"), f"{PORTAL}/".upper()}
    least = 58 if paper == "a4" else 82
    assert all(code.side > least for code in codes)


def test_it_says_how_to_know_the_true_page_in_the_towns_language_and_in_english(
    app: Flask, town: Town, tmp_path: Path
) -> None:
    text = read_text(poster(app, tmp_path))
    said = squeezed(text)
    for words in (
        *("Wifi gratuit", "Free wifi", "WIFILIB", "WIFI", "1 Rejoindre le wifi", "2 Ouvrir la page"),
        *("La vraie page du wifi de la ville a cette adresse, et aucune autre", "and no other"),
        *("Elle ne demande ni carte bancaire", "It asks for no bank card", "Join the wifi", "Open the page"),
        PORTAL.partition("://")[2],
    ):
        assert squeezed(words) in said, words


def test_a_town_that_speaks_english_is_told_once(
    services: Services, app: Flask, town: Town, tmp_path: Path
) -> None:
    with services.make_session() as db, app.app_context():
        site = db.scalars(select(Site).filter_by(slug="gare-viotte")).one()
        found = poster_of(db, site, site.networks[0], settings=services.settings, languages=("en",))
    assert found.languages == ("en",)


def test_it_has_the_networks_own_words_colour_and_logo(
    app: Flask, town: Town, services: Services, tmp_path: Path
) -> None:
    # Where the logo's white plate will be, the head has the network's colour alone.
    corner = (138, 150)
    before = render(poster(app, tmp_path), tmp_path)[0].getpixel(corner)
    made.write(tmp_path, "armes.png", made.logo())
    run(app, "networks", "logo", "wifilib", f"{tmp_path}/armes.png", "--alt", "fr", "Les armes de la ville")
    with services.make_session.begin() as db:
        network = db.scalars(select(Network).filter_by(slug="wifilib")).one()
        network.look = {
            **network.look,
            "title": {"fr": "Le wifi de toute la ville"},
            "contact": "03 81 61 50 50",
        }
    pdf = poster(app, tmp_path)
    text = squeezed(read_text(pdf))
    assert squeezed("Le wifi de toute la ville") in text and squeezed("03 81 61 50 50") in text
    assert before != render(pdf, tmp_path)[0].getpixel(corner) == 255
    assert read_facts(pdf, "-struct").count("Figure") == 4


@pytest.mark.parametrize("ssid", ["W" * 32, 'Été à l’eau ";,:\\'])
def test_long_and_odd_texts_stay_on_one_page(
    app: Flask, town: Town, services: Services, tmp_path: Path, ssid: str
) -> None:
    change(
        services, Network, "wifilib", name=LONG, ssid=ssid, look={"title": {"fr": "M" * 80, "en": LONG[:80]}}
    )
    change(services, Site, "gare-viotte", name=f"#let x = [{LONG}")
    for paper in SIZES:
        pdf = poster(app, tmp_path, "--paper", paper)
        assert "Pages:           1" in read_facts(pdf)
        (codes,) = read_codes(pdf, tmp_path)
        assert joining_uri(ssid) in {code.text for code in codes}
        assert squeezed("#let x = [") in squeezed(read_text(pdf))


def test_what_cannot_be_printed_is_told(app: Flask, town: Town, services: Services, tmp_path: Path) -> None:
    assert "There is no site 'nowhere'" in run(app, "sites", "poster", "nowhere", f"{tmp_path}/a.pdf").output
    told = run(
        app, "sites", "poster", "gare-viotte", f"{tmp_path}/a.pdf", "--network", "bibliotheques"
    ).output
    assert "gare-viotte offers: wifilib" in told
    assert "cannot be written" in run(app, "sites", "poster", "gare-viotte", f"{tmp_path}/no/a.pdf").output


def test_an_arabic_poster_stands_within_its_page(
    services: Services, app: Flask, town: Town, tmp_path: Path
) -> None:
    """From right to left, and nothing runs over an edge."""
    with services.make_session() as db, app.app_context():
        site = db.scalars(select(Site).filter_by(slug="gare-viotte")).one()
        made_up = poster_of(db, site, site.networks[0], settings=services.settings, languages=("ar", "en"))
        pdf = print_poster(made_up, PosterPaper.A4)
    page = render(pdf, tmp_path)[0]
    # Below the head, the outer 10 mm of the page stay white: text begins at 16 mm.
    margin, head = round(10 * 200 / 25.4), round(70 * 200 / 25.4)
    for left, right in ((0, margin), (page.width - margin, page.width)):
        assert page.crop((left, head, right, page.height)).getextrema() == (255, 255)
    assert "Free wifi" in read_text(pdf)
