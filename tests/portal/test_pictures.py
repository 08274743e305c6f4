"""Logos and photographs: set by command, shown with their words, served from our own host, gone when taken away."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.services import Services
from sites.images.models import ImageFile
from tests.portal.conftest import Phone
from tests.portal.dressing import dress, run
from tests.sites.images import made
from tests.town import Town

MEDIA_TYPES = {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg"}


def addresses(page: str) -> set[str]:
    return set(re.findall(r"/images/[0-9a-f]{24}\.[a-z]+", page))


def test_a_logo_and_a_photograph_stand_on_the_first_page_with_their_words(
    app: Flask, town: Town, files: Path
) -> None:
    dress(app, files)
    phone = Phone(app, town.station)
    page = phone.land().text
    assert 'class="logo"' in page and 'alt="Les armes" lang="fr"' in page
    assert 'alt="The station" lang="en"' in page and "data:image/webp;base64," in page
    assert len(addresses(page)) == 4 + 6
    for path in ("/info/gare-viotte", "/nowhere"):
        assert 'class="logo"' in phone.get(path).text
    assert 'alt="The station"' in phone.get("/info/gare-viotte").text


def test_pictures_are_served_to_everybody_and_kept(app: Flask, town: Town, files: Path) -> None:
    dress(app, files)
    stranger = Phone(app, town.station, address="192.0.2.1")
    for address in addresses(Phone(app, town.station).land().text):
        answer = stranger.get(address)
        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert (
            answer.mimetype
            == {"webp": "image/webp", "png": "image/png", "jpg": "image/jpeg"}[address[-4:].strip(".")]
        )
        assert "Set-Cookie" not in answer.headers
        made.opened(answer.data)


@pytest.mark.parametrize(
    "name", ["a.png", "0" * 24 + ".png", "..%2f..%2fwsgi.py", "0" * 24 + ".svg", "0" * 5000]
)
def test_no_other_name_is_answered(app: Flask, town: Town, name: str) -> None:
    answer = Phone(app, town.station).get(f"/images/{name}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_taken_away_is_gone(app: Flask, town: Town, files: Path, services: Services) -> None:
    dress(app, files)
    assert "has no photograph any more" in run(app, "sites", "photo", "gare-viotte", "--remove").output
    assert "has no logo any more" in run(app, "networks", "logo", "wifilib", "--remove").output
    page = Phone(app, town.station).land().text
    assert addresses(page) == set() and 'class="logo"' not in page
    with services.make_session() as db:
        assert db.scalars(select(ImageFile)).all() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sites", "photo", "gare-viotte", "{}/gare.jpg"), "for those who do not see it"),
        (("sites", "photo", "gare-viotte"), "Name a file, or say --remove"),
        (("sites", "photo", "nowhere", "{}/gare.jpg", "--alt", "fr", "x"), "There is no site 'nowhere'"),
        (("networks", "logo", "wifilib", "{}/bad.png", "--alt", "fr", "x"), "bad.png: The file is an SVG"),
        (
            ("networks", "logo", "wifilib", "{}/armes.png", "--alt", "french", "x"),
            "no language of two letters",
        ),
        (
            ("networks", "logo", "nothing", "{}/armes.png", "--alt", "fr", "x"),
            "There is no network 'nothing'",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    app: Flask, town: Town, files: Path, services: Services, words: tuple[str, ...], told: str
) -> None:
    made.write(files, "bad.png", b"<svg onload='alert(1)'/>")
    done = run(app, *(word.format(files) for word in words))
    assert done.exit_code != 0 and told in done.output
    with services.make_session() as db:
        assert db.scalars(select(ImageFile)).all() == []
