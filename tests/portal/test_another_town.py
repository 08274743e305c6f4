"""Another town is set up from settings and files alone, and the demo town shows nowhere."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, render_template_string
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.staff.roles import Role
from auth.vouchers import plans
from config import Secret, Settings, SettingsError
from gateways.landing_token import credential_digest
from portal.app import create_app, make_services
from portal.cli.nginx import write_pages
from portal.i18n import catalogues
from portal.i18n.catalogues import FOLDER, Catalogue
from portal.printing.papers import Paper
from portal.services import Services
from sites.models import Gateway
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, SECRET, Phone
from tests.portal.languages import LANGUAGES, WHOLE
from tests.portal.printing.printed import read_text
from tests.portal.staff.conftest import Desk
from tests.sessions.legal_requests.rows import add_first_bases
from tests.town import credential_of

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SITES = """slug,name,kind,address,latitude,longitude,networks,state
oscar-niemeyer,Bibliothèque Oscar-Niemeyer,library,"2 place Niemeyer, 76600 Le Havre",49.4907,0.1000,wifi-havre,live
plage,La plage,square,"Boulevard Albert-Ier, 76600 Le Havre",49.4950,0.0930,wifi-havre,live
"""
NETWORKS = """slug,name,ssid,kind,signin_methods,lease_seconds,terms_version,accent,terms_fr,terms_en
wifi-havre,Wifi du Havre,Wifi-Havre,public,free pass,1800,1,#005a8c,Soyez gentils.,Be kind.
"""
GATEWAYS = "identity,site,network,kind,client_prefixes\nplage-1,plage,wifi-havre,fake,10.66.0.0/24\n"
MAP = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "le rivage", "name_en": "the shore"},
            "geometry": {"type": "LineString", "coordinates": [[0.07, 49.51], [0.09, 49.49], [0.11, 49.48]]},
        }
    ],
}
FOREIGN = re.compile("Besan|Doubs|Boucle|Vauban|Granvelle|heure de Paris", re.IGNORECASE)


@pytest.fixture
def zone() -> str:
    """The clocks of a town overseas: no moment is right by chance."""
    return "Indian/Reunion"


@pytest.fixture
def havre(zone: str, memory: Path, empty_sqlite: Path, tmp_path: Path) -> Iterator[Services]:
    """The town by its settings alone."""
    (tmp_path / "map.geojson").write_text(json.dumps(MAP), encoding="utf-8")
    settings = Settings(
        Secret(SECRET),
        PORTAL,
        f"sqlite:///{memory / 'havre.sqlite3'}",
        town="Le Havre",
        zone=ZoneInfo(zone),
        map_file=tmp_path / "map.geojson",
    )
    shutil.copy(empty_sqlite, memory / "havre.sqlite3")
    services = make_services(settings, clock=MovingClock(NOON))
    yield services
    services.wake.close()
    services.engine.dispose()


@pytest.fixture
def app(havre: Services, tmp_path: Path) -> Flask:
    app = create_app(havre)
    for kind, rows in (("networks", NETWORKS), ("sites", SITES), ("gateways", GATEWAYS)):
        file = tmp_path / f"{kind}.csv"
        file.write_text(rows, encoding="utf-8")
        done = app.test_cli_runner().invoke(args=["sites", "import", str(file), "--records", kind])
        assert done.exit_code == 0, done.output
    return app


def is_clean(text: str) -> None:
    found = FOREIGN.search(text)
    assert found is None, text[max(0, found.start() - 80) :][:200]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_that_is_open_to_all_speaks_of_the_demo_town(app: Flask, language: str) -> None:
    browser = app.test_client()
    places = ("/", "/hotspots", "/hotspots.geojson", "/info/plage", "/terms/wifi-havre", "/privacy")
    for path in (*places, "/accessibilite", "/help", "/staff/", "/staff/signin", "/nowhere"):
        page = browser.get(path, base_url=PORTAL, headers={"Accept-Language": language})
        assert page.status_code in ((404,) if path in ("/help", "/nowhere") else (200, 302, 303)), path
        is_clean(page.text)
    shown = browser.get("/hotspots", base_url=PORTAL, headers={"Accept-Language": language}).text
    assert ("le rivage" if language == "fr" else "the shore") in shown and "Le Havre" in shown


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("authority", ["Le Havre Seine Métropole", ""])
def test_who_answers_for_the_wifi_is_a_setting(havre: Services, authority: str, language: str) -> None:
    named = replace(havre, settings=replace(havre.settings, authority=authority))
    town = "La ville (Le Havre)" if language == "fr" else "The town (Le Havre)"
    browser = create_app(named).test_client()
    for path in ("/privacy", "/accessibilite"):
        page = browser.get(path, base_url=PORTAL, headers={"Accept-Language": language})
        assert (authority or town) in page.text
        assert (town in page.text) == (not authority)


@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Reunion"])
def test_neither_do_the_fronts_pages_a_report_a_ticket_and_an_answer_to_a_judge(
    app: Flask, havre: Services, zone: str, tmp_path: Path
) -> None:
    write_pages(app, tmp_path)
    pages = list(tmp_path.glob("*.html"))
    assert pages
    for page in pages:
        is_clean(page.read_text(encoding="utf-8"))
    with havre.make_session.begin() as db:
        plans.add_first_plans(db)
        add_first_bases(db)
    answer = run(app, "report", "usage", "--from", "2026-11-23", "--to", "2026-11-25")
    assert "Le Havre" in answer
    is_clean(answer)
    run(app, "vouchers", "sheet", "2", str(tmp_path / "sheet.pdf"), "--site", "plage")
    ticket = read_text((tmp_path / "sheet.pdf").read_bytes())
    assert "La plage" in ticket
    is_clean(ticket)
    number = register_requisition(app, zone)
    run(app, "requisitions", "answer", number, "--to", str(tmp_path / "answer.zip"))
    with zipfile.ZipFile(tmp_path / "answer.zip") as package:
        texts = {name: package.read(name).decode(errors="replace") for name in package.namelist()}
    is_clean("".join(texts.values()))
    assert f"heure locale ({zone})" in texts["LISEZMOI.txt"]
    assert NOON.astimezone(havre.settings.zone).strftime("%d/%m/%Y %H:%M:%S, UTC%z") in texts["LISEZMOI.txt"]
    assert ("Europe/Paris" in "".join(texts.values())) == (zone == "Europe/Paris")
    assert "par Le Havre\n" in texts["LISEZMOI.txt"] and "la ville" not in texts["LISEZMOI.txt"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_neither_does_any_page_on_the_way_of_a_guest(
    app: Flask, havre: Services, language: str, tmp_path: Path
) -> None:
    walked = walk(app, havre, language, tmp_path)
    for page in walked:
        is_clean(page)
        assert f'<html lang="{language}"' in page
    assert "La plage" in "".join(walked) and "Wifi du Havre" in "".join(walked)


class Noting(Catalogue):
    """A catalogue that notes what it was asked for and does not have."""

    def __init__(self, code: str) -> None:
        super().__init__(FOLDER / f"{code}.po")
        self.missing: set[str] = set()

    def gettext(self, message: str) -> str:
        if message not in self._texts:
            self.missing.add(message)
        return super().gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        if msgid1 not in self._plurals:
            self.missing.add(msgid1)
        return super().ngettext(msgid1, msgid2, n)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - set(WHOLE)))
def test_nothing_on_a_guests_way_is_said_in_another_language(
    app: Flask, havre: Services, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an extraction by source files would miss a text, walking the pages does not."""
    noting = Noting(language)
    monkeypatch.setitem(catalogues._read, language, noting)
    walked = walk(app, havre, language, tmp_path)
    browser = app.test_client()
    for path in ("/hotspots", "/info/plage", "/terms/wifi-havre", "/privacy", "/accessibilite", "/nowhere"):
        walked.append(browser.get(path, base_url=PORTAL, headers={"Accept-Language": language}).text)
    assert all(f'<html lang="{language}"' in page for page in walked)
    assert noting.missing == set()


@pytest.mark.parametrize("form", ["csv", "pdf", "text"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_neither_does_a_report_in_any_form(app: Flask, form: str, language: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    period = ("--from", "2026-11-23", "--to", "2026-11-25", "--format", form, "--language", language)
    run(app, "report", "usage", *period, "-o", str(file))
    told = read_text(file.read_bytes()) if form == "pdf" else file.read_text(encoding="utf-8")
    assert form == "csv" or "Le Havre" in told
    is_clean(told)


@pytest.mark.parametrize("paper", [*(one.value for one in Paper), "escpos"])
def test_neither_does_a_ticket_on_any_paper(app: Flask, havre: Services, paper: str, tmp_path: Path) -> None:
    with havre.make_session.begin() as db:
        plans.add_first_plans(db)
    file = tmp_path / "sheet"
    run(app, "vouchers", "sheet", "2", str(file), "--site", "plage", "--paper", paper)
    content = file.read_bytes()
    told = content.decode("cp1252", "replace") if paper == "escpos" else read_text(content)
    assert "Wifi-Havre" in told
    is_clean(told)


def test_a_town_has_its_own_language_and_offers_no_other(havre: Services) -> None:
    """What is not offered is not spoken: not to a browser that asks for it, nor by a link."""
    english = create_app(replace(havre, settings=replace(havre.settings, languages=("en",)))).test_client()
    for headers, path in (
        ({"Accept-Language": "fr"}, "/privacy"),
        ({}, "/privacy"),
        ({}, "/privacy?lang=fr"),
    ):
        page = english.get(path, base_url=PORTAL, headers=headers).text
        assert '<html lang="en"' in page and "hreflang" not in page


def test_wrong_languages_and_files_are_told_together(havre: Services, tmp_path: Path) -> None:
    wrong, note = tmp_path / "wrong.geojson", tmp_path / "note.toml"
    wrong.write_text("{}", encoding="utf-8")
    note.write_text("= x", encoding="utf-8")
    settings = replace(havre.settings, languages=("fr", "xx", "tlh"), map_file=wrong, legal_note_file=note)
    with pytest.raises(SettingsError) as refused:
        make_services(settings)
    told = refused.value.faults
    names = ("names 'xx'", "names 'tlh'", "AROBASE_MAP_FILE", "AROBASE_LEGAL_NOTE_FILE")
    assert [name for name in names if name not in "\n".join(told)] == []
    assert "There are: ar, de, en, es, fr, it." in told[0]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_of_the_staff_speaks_of_the_demo_town(
    app: Flask, havre: Services, language: str, tmp_path: Path
) -> None:
    """With something of each kind to look at: a batch, a stay, a refusal, a requisition."""
    refused = "".join(walk(app, havre, language, tmp_path))
    with havre.make_session.begin() as db:
        add_first_bases(db)
    register_requisition(app, havre.settings.zone.key)
    known = {"code": re.findall("Incident ([0-9A-Z-]{7})", refused)[0], "identity": "plage-1", "form": "csv"}
    desk = Desk(app, cast(MovingClock, havre.clock))
    clerks = [desk.at_work("dana", *(set(Role) - {Role.PRIVACY})), desk.at_work("paz", Role.PRIVACY)]
    opened = set()
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("staff.") or "GET" not in (rule.methods or ()):
            continue
        path = re.sub("<(?:.*?:)?([a-z_]+)>", lambda found: known.get(found[1], "1"), rule.rule)
        for clerk in clerks:
            page = clerk.get(path, **{"Accept-Language": language})
            is_clean(page.text)
            if page.status_code == 200:
                opened.add(rule.endpoint)
    named = {
        "sessions",
        "desk",
        "reports",
        "retention",
        "requisitions",
        "batch",
        "pass_page",
        "gateway",
        "person",
    }
    named |= {"requisition", "session", "incident"}
    assert {f"staff.{name}" for name in named} <= opened, opened


@pytest.mark.parametrize("zone", ["Europe/Paris", "Indian/Reunion"])
def test_the_staffs_pages_follow_the_towns_clocks(app: Flask, havre: Services) -> None:
    with app.test_request_context("/staff", headers={"Accept-Language": "en"}):
        assert staff_moment(NOON) == f"{NOON.astimezone(havre.settings.zone):%H:%M}"


def walk(app: Flask, havre: Services, language: str, folder: Path) -> list[str]:
    """Behind the gateway at the beach: free access and a pass, refused and good, to the end and what is kept of it."""
    with havre.make_session.begin() as db:
        plans.add_first_plans(db)
        gateway = db.scalars(
            select(Gateway).options(joinedload(Gateway.site), joinedload(Gateway.network))
        ).one()
        gateway.credential_digest = credential_digest(credential_of(gateway.identity))
    run(app, "vouchers", "sheet", "1", str(folder / "one"), "--site", "plage", "--paper", "escpos")
    printed = (folder / "one").read_bytes().decode("cp1252", "replace")
    (code,) = re.findall("[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}", printed)
    phone = Phone(app, gateway, headers={"Accept-Language": language})
    pages = [phone.land()]
    token = phone.form("/pause")["visit"]
    pages += [phone.get(f"/pass/{code}?visit={token}"), phone.press("/pass", code="7K2-M9Q-XXX")]
    phone.land()
    pages += [
        phone.press("/pause", follow=True),
        phone.get("/status"),
        phone.get("/yours"),
        phone.get("/pause"),
    ]
    phone.get("/status")
    pages += [phone.press("/leave", follow=True), phone.land(), phone.press("/pass", code=code, follow=True)]
    return [page.text for page in pages]


def register_requisition(app: Flask, zone: str) -> str:
    asked = {"--authority": "Police, Le Havre", "--signer": "Capitaine Martin", "--reference": "2026/1"}
    asked |= {"--basis": "CPP 60-1", "--public-address": "203.0.113.9", "--port": "5200"}
    asked |= {"--at": "2026-11-26T09:00:00", "--zone": zone}
    return run(app, "requisitions", "add", *(word for pair in asked.items() for word in pair)).strip()


def run(app: Flask, *words: str) -> str:
    done = app.test_cli_runner().invoke(args=list(words))
    assert done.exit_code == 0, done.output
    return done.output


def staff_moment(at: datetime) -> str:
    """An instant as the staff's pages write it, out of its element."""
    page = render_template_string('{% from "staff/parts.html" import moment %}{{ moment(at) }}', at=at)
    return re.sub("<[^>]*>", "", page)
