"""What a place is called in the reader's language: on pages, on paper, in open data; its own name everywhere else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.printing.from_vouchers import slips
from portal.printing.posters import PosterPaper, poster_of, print_poster
from portal.services import Services
from sites.import_export import SITES, FileFormat, export_records
from sites.models import Network, Site
from tests.clock import MovingClock
from tests.imports import import_records
from tests.portal.conftest import PORTAL, Agent, Phone
from tests.portal.printing.printed import read_text, squeezed
from tests.portal.visitors import issue

OWN, ENGLISH, ARABIC = "Gare Viotte", "Viotte station", "محطة فيوت"


@pytest.fixture
def named(services: Services, phone: Phone) -> Phone:
    """The guest at a station that has a name in English and in Arabic."""
    with services.make_session.begin() as db:
        table = f"slug,name_en,name_ar\ngare-viotte,{ENGLISH},{ARABIC}\n"
        import_records(db, SITES, table.encode())
    services.places.forget()
    return phone


def test_a_file_brings_names_takes_them_out_and_leaves_others(named: Phone, services: Services) -> None:
    with services.make_session.begin() as db:
        written = export_records(db, SITES, FileFormat.CSV).decode()
        assert written.splitlines()[0].endswith('"name_ar","name_en"') and ENGLISH in written
        assert import_records(db, SITES, written.encode()).changed == ()
        import_records(db, SITES, b"slug,name_en\ngare-viotte,\n")
        names = db.scalars(select(Site.names).where(Site.slug == "gare-viotte")).one()
        assert names == {"ar": ARABIC}


@pytest.mark.parametrize("lang,name", [("en", ENGLISH), ("ar", ARABIC), ("fr", OWN), ("de", OWN)])
def test_pages_say_the_name_in_the_readers_language(
    named: Phone, station: Agent, clock: MovingClock, lang: str, name: str
) -> None:
    others = {OWN, ENGLISH, ARABIC} - {name}
    named.get(f"/?landing={named.landing_token()}&lang={lang}")
    first = named.page.text
    for path in ("/hotspots", "/info/gare-viotte", "/away"):
        page = named.get(f"{path}?lang={lang}").text
        assert name in page and not any(one in page for one in others), path
    assert f"<h1>{name}</h1>" in first
    named.get(f"/?landing={named.landing_token()}&lang={lang}")
    clock.advance(seconds=6)
    named.press("/pause")
    station.follow()
    status = named.get(f"/status?lang={lang}").text
    assert f"· {name}</title>" in status and not any(one in status for one in others)


def test_open_data_has_each_name(named: Phone) -> None:
    spots = {
        one["id"]: one["properties"] for one in json.loads(named.get("/hotspots.geojson").text)["features"]
    }
    here = spots["gare-viotte"]
    assert (here["name"], here["name_en"], here["name_ar"]) == (OWN, ENGLISH, ARABIC)
    assert "name_en" not in spots["pierre-bayle"]


def test_paper_has_the_name_in_its_first_language(named: Phone, services: Services, db: Session) -> None:
    passes = issue(services)
    site = db.scalars(select(Site).where(Site.slug == "gare-viotte")).one()
    network = db.scalars(select(Network).where(Network.slug == "wifilib")).one()
    batch = db.merge(passes.batch)
    for languages, name in ((("en", "fr"), ENGLISH), (("fr", "en"), OWN)):
        (slip,) = slips(
            passes.tickets, batch=batch, network=network, site=site, portal_url=PORTAL, languages=languages
        )
        assert slip.place == name
        poster = poster_of(db, site, network, settings=services.settings, languages=languages)
        assert squeezed(name) in squeezed(read_text(print_poster(poster, PosterPaper.A4)))
