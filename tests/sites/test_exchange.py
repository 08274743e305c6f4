"""Import and export: what a file does, and that it does it once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sites.demo.town import load_demo
from sites.gateways import add_gateway
from sites.import_export import GATEWAYS, NETWORKS, FileFormat, Records, export_records, site_records
from sites.models import Gateway, Network, Site, SiteKind, SiteState
from tests.imports import import_records
from tests.sites.files import GOOD, HEAD, SITES, collection, feature, table
from tests.sites.places import pierre_bayle, public_network

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("records", [NETWORKS, SITES, GATEWAYS], ids=["networks", "sites", "gateways"])
def test_what_was_exported_changes_nothing_when_imported(
    db: Session, records: Records, form: FileFormat
) -> None:
    town(db)
    # What one record has in a language is an empty cell of the others.
    import_records(db, NETWORKS, b"slug,title_en\nwifilib,The wifi of the town\n")
    import_records(db, SITES, b"slug,name_en\ngare-viotte,Viotte station\n")
    content = export_records(db, records, form)
    result = import_records(db, records, content)
    assert result.rows > 0
    assert (result.created, result.changed) == ((), ())
    assert export_records(db, records, form) == content


@pytest.mark.parametrize("form", FileFormat)
def test_an_empty_database_becomes_the_exported_one(db: Session, form: FileFormat) -> None:
    town(db)
    files = {kind.key + str(i): export_records(db, kind, form) for i, kind in enumerate((NETWORKS, SITES))}
    for site in db.scalars(select(Site)):
        site.networks = []
    db.flush()
    for model in (Gateway, Site, Network):
        db.query(model).delete()
    db.expire_all()
    assert len(import_records(db, NETWORKS, files["slug0"]).created) == 2
    assert len(import_records(db, SITES, files["slug1"]).created) == 53
    assert export_records(db, NETWORKS, form) == files["slug0"]
    assert export_records(db, SITES, form) == files["slug1"]


def town(db: Session) -> None:
    load_demo(db, now=NOW)
    station = db.scalars(select(Site).where(Site.slug == "gare-viotte")).one()
    station.note = '\'=1+1\n\tsecond line; with, all "signs"\r\n'
    station.contact = "+33 3 81 61 50 50"
    station.name = "@gare"
    station.state_until = datetime(2029, 1, 1, tzinfo=UTC)
    prefixes = ["10.66.0.0/24", "fd66::/64"]
    add_gateway(
        db,
        identity="viotte-1",
        kind="fake",
        site=station,
        network=station.networks[0],
        client_prefixes=prefixes,
        redirector_url="http://10.66.0.1:8081/",
    )


def test_it_creates_a_site_with_defaults_for_what_is_left_out(db: Session, wifilib: Network) -> None:
    result = import_records(db, SITES, table(HEAD, GOOD))
    assert (result.created, result.rows) == (("battant",), 1)
    site = db.scalars(select(Site)).one()
    assert (site.kind, site.latitude, site.longitude) == (SiteKind.SQUARE, 47.243, 6.0185)
    assert (site.state, site.zone, site.opening_hours) == (SiteState.PLANNED, "Europe/Paris", "24/7")
    assert (site.ads_allowed, site.eu_funded, site.rate_down_kbps) == (False, False, None)
    assert site.networks == [wifilib]


def test_columns_that_are_left_out_keep_what_they_are(db: Session, station: Site) -> None:
    result = import_records(db, SITES, table("slug,name", "gare-viotte,Viotte"))
    assert result.changed == ("gare-viotte",)
    assert (station.name, station.address, len(station.networks)) == ("Viotte", "2 avenue de la Paix", 1)


def test_it_says_what_it_did(db: Session, station: Site) -> None:
    old = f"gare-viotte,{station.name},station,{station.address},47.247,6.022,wifilib"
    result = import_records(db, SITES, table(HEAD, GOOD, old))
    assert (result.created, result.changed, result.unchanged) == (("battant",), (), ("gare-viotte",))


def test_it_takes_what_a_french_spreadsheet_writes(db: Session, wifilib: Network) -> None:
    text = "\ufeffSlug;Name;Kind;Address;Latitude;Longitude;Ads_allowed;State_since\r\n"
    text += (
        "lepine;Épine;square;1, rue de l'Épine;47,243;6,0185;VRAI;2026-11-22T08:00:00+01:00;\r\n;;;;;;;\r\n"
    )
    assert import_records(db, SITES, text.encode()).created == ("lepine",)
    site = db.scalars(select(Site)).one()
    assert (site.name, site.address, site.latitude) == ("Épine", "1, rue de l'Épine", 47.243)
    assert site.ads_allowed
    assert site.state_since == datetime(2026, 11, 22, 7, tzinfo=UTC)


def test_geojson_has_the_longitude_first(db: Session, wifilib: Network) -> None:
    import_records(db, SITES, collection(feature(6.0185, 47.243, networks=["wifilib"], ads_allowed=True)))
    site = db.scalars(select(Site)).one()
    assert (site.latitude, site.longitude, site.ads_allowed) == (47.243, 6.0185, True)
    assert site.networks == [wifilib]
    exported = json.loads(export_records(db, SITES, FileFormat.GEOJSON))
    assert exported["type"] == "FeatureCollection"
    [found] = exported["features"]
    assert found["geometry"] == {"type": "Point", "coordinates": [6.0185, 47.243]}
    assert found["properties"]["networks"] == ["wifilib"]
    assert found["properties"]["ads_allowed"] is True
    assert "latitude" not in found["properties"]


def test_only_new_leaves_what_exists(db: Session, station: Site) -> None:
    content = table(HEAD, GOOD, "gare-viotte,Viotte,station,Rue,47.247,6.022,")
    result = import_records(db, SITES, content, only_new=True)
    assert (result.created, result.unchanged) == (("battant",), ("gare-viotte",))
    assert station.name == "Gare Viotte"


def test_a_library_may_have_both_networks(db: Session, wifilib: Network, bibliotheques: Network) -> None:
    db.add(pierre_bayle())
    db.add(public_network(slug="other", terms={"fr": "x"}))
    result = import_records(db, SITES, table("slug,networks", "pierre-bayle,wifilib bibliotheques"))
    assert result.changed == ("pierre-bayle",)


def test_a_new_site_is_in_the_zone_that_its_row_names_else_in_the_towns(db: Session) -> None:
    db.add(public_network())
    rows = [f"{HEAD},zone", f"{GOOD},", f"{GOOD.replace('battant', 'rivotte')},America/Cayenne"]
    import_records(db, site_records("Indian/Reunion"), table(*rows))
    import_records(db, site_records("Indian/Reunion"), table(HEAD, GOOD.replace("battant", "chamars")))
    zones = {site.slug: site.zone for site in db.scalars(select(Site))}
    assert zones == {
        "battant": "Indian/Reunion",
        "rivotte": "America/Cayenne",
        "chamars": "Indian/Reunion",
    }
