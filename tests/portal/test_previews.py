"""A new look is shown on the very pages before it is saved, and nothing of it is saved."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from flask import Flask

from portal.services import Services
from tests.portal.dressing import dress, run
from tests.portal.effects import changed_since, state
from tests.sites.images import made
from tests.town import Town

LOOK = (
    "slug,accent,accent_dark,title_fr,title_en,welcome_fr,links_fr\n"
    "wifilib,#7a1f5c,#e79ccb,Le wifi de toute la ville,The wifi of all the town,Bienvenue.,"
    "Mairie https://www.besancon.example/\n"
    "bibliotheques,#1f5c2e,,Le wifi des lecteurs,,,\n"
)


def preview(app: Flask, folder: Path, content: str = LOOK, *options: str) -> list[str]:
    """The pages in the file, each as its frame has it."""
    (folder / "networks.csv").write_text(content, encoding="utf-8")
    done = run(app, "networks", "preview", f"{folder}/networks.csv", f"{folder}/look.html", *options)
    assert done.exit_code == 0, done.output
    assert "Nothing was saved" in done.output
    album = (folder / "look.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', re.sub(r'srcdoc="[^"]*"', "", album)) == []
    return [html.unescape(page) for page in re.findall(r'srcdoc="([^"]*)"', album)]


def test_first_page_session_page_and_error_are_shown_in_each_theme(
    app: Flask, town: Town, tmp_path: Path
) -> None:
    pages = preview(app, tmp_path)
    languages = len(app.extensions["arobase"].settings.languages)
    assert len(pages) == 2 * (languages + 2) * 2
    for words in (
        "Le wifi de toute la ville",
        "The wifi of all the town",
        "Le wifi des lecteurs",
        "Vous êtes en ligne",
    ):
        assert any(words in page for page in pages), words
    assert any("Cette page n’existe pas" in page for page in pages)
    assert all("#7a1f5c" in page or "#1f5c2e" in page for page in pages)
    assert sum("@media (prefers-color-scheme:dark)" in page for page in pages) == 0
    styles = ["".join(re.findall(r"<style>.*?</style>", page, re.DOTALL)) for page in pages]
    assert sum("color-scheme:dark" in style for style in styles) == len(pages) / 2


def test_nothing_of_it_is_saved(app: Flask, town: Town, services: Services, tmp_path: Path) -> None:
    before = state(services)
    preview(app, tmp_path)
    assert changed_since(before, services) == set()


def test_pictures_stand_in_the_file_and_a_new_logo_too(
    app: Flask,
    town: Town,
    services: Services,
    tmp_path: Path,
    files: Path,
) -> None:
    dress(app, files)
    (first, *_) = preview(app, tmp_path)
    logo = re.compile(r'class="logo" src="(data:image/png;base64,[^"]*)"')
    assert len(logo.findall(first)) == 1 and "data:image/jpeg;base64," in first
    assert "/images/" not in first and "srcset" not in first
    made.write(tmp_path, "new.png", made.logo((500, 200)))
    (second, *_) = preview(app, tmp_path, LOOK, "--logo", f"{tmp_path}/new.png")
    assert logo.findall(first) != logo.findall(second)


@pytest.mark.parametrize("content", ["slug,accent\nwifilib,#ffcc00\n", "slug,nothing\nwifilib,x\n"])
def test_what_an_import_would_refuse_a_preview_refuses(
    app: Flask, town: Town, tmp_path: Path, content: str
) -> None:
    (tmp_path / "networks.csv").write_text(content)
    done = run(app, "networks", "preview", f"{tmp_path}/networks.csv", f"{tmp_path}/look.html")
    assert (done.exit_code == 1 and "line 2" in done.output) or "line 1" in done.output
    assert not (tmp_path / "look.html").exists()


def test_a_network_that_does_not_exist_yet_is_shown_at_a_place_without_name(
    app: Flask, town: Town, tmp_path: Path
) -> None:
    row = "slug,name,ssid,kind,signin_methods,lease_seconds,terms_version,terms_fr\n"
    row += "nouveau,Le nouveau wifi,Nouveau,library,patron pass,3600,1,Soyez sages.\n"
    pages = preview(app, tmp_path, row)
    assert "Le nouveau wifi" in pages[0] and any("Vous êtes en ligne" in page for page in pages)
