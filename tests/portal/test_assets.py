"""The scripts and icons of guests' pages: from our own host alone, kept long, and never stale."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from flask import Flask

from config import Serves
from portal.app import create_app
from portal.guest.assets import ASSETS, FOLDER, asset_url
from portal.http.asset_files import read_assets
from portal.services import Services
from portal.staff.assets import ASSETS as OF_STAFF
from tests.portal.conftest import Phone

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_an_asset_is_kept_for_as_long_as_its_content(phone: Phone, app: Flask, name: str) -> None:
    with app.test_request_context("/?lang=fr"):
        address = asset_url(name)
    assert re.fullmatch(r"/assets/[a-z-]+\.[0-9a-f]{12}\.(js|svg|png)", address)
    answer = phone.get(address)
    assert answer.status_code == HTTPStatus.OK
    assert answer.data == (FOLDER / name).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_another_content_has_another_name(tmp_path: Path) -> None:
    script = tmp_path / "a.js"
    script.write_text("1")
    first = read_assets(tmp_path)["a.js"].hashed_name
    script.write_text("2")
    assert read_assets(tmp_path)["a.js"].hashed_name != first


@pytest.mark.parametrize("name", ["status.js", "status.000000000000.js", "__init__.py", "..%2Fstatus.py"])
def test_nothing_else_is_there_and_its_absence_is_not_kept(phone: Phone, name: str) -> None:
    answer = phone.get(f"/assets/{name}")
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["Cache-Control"] == "no-store"


def test_guests_are_served_them_and_staff_alone_are_not(services: Services) -> None:
    def served(serves: Serves) -> Flask:
        return create_app(replace(services, settings=replace(services.settings, serves=serves)))

    assert "assets" in served(Serves.GUESTS).blueprints
    assert "assets" not in served(Serves.STAFF).blueprints


def test_pages_with_scripts_may_run_them_and_no_others(phone: Phone) -> None:
    policy = phone.get("/privacy").headers["Content-Security-Policy"]
    assert "; script-src 'self'; connect-src 'self'; manifest-src 'self'" in policy
    assert "script-src" not in phone.get("/staff/setup/nobodys").headers["Content-Security-Policy"]


def test_no_template_holds_a_script_of_its_own() -> None:
    """Nothing inline: the security policy would not run it."""
    for template in TEMPLATES.rglob("*.html"):
        scripts = re.findall(r"<script\b[^>]*>.*?</script>", template.read_text(encoding="utf-8"), re.DOTALL)
        for script in scripts:
            assert re.fullmatch(
                r"""<script src="\{\{ (staff_)?asset\('[a-z-]+\.js'\) \}\}"( data-\w+="[^"]*")? defer></script>""",
                script,
            )


@pytest.mark.parametrize("name", [name for name in sorted(ASSETS | OF_STAFF) if name.endswith(".js")])
def test_a_script_is_small_and_strict(name: str) -> None:
    text = (ASSETS | OF_STAFF)[name].body.decode()
    assert text.startswith("// ")
    assert '"use strict";' in text
    assert len(text) < 10_000
    assert "http:" not in text
    assert "https:" not in text
    assert "innerHTML" not in text
