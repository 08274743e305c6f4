"""Hotspots as other people publish them: OpenDataSoft, QGIS, a town's own table, and our own public list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sites.demo.town import load_demo
from sites.directory import geojson, hotspots
from sites.import_export import FileFormat, export_records
from sites.models import Network, Site
from tests.imports import import_records
from tests.sites.files import GOOD, HEAD, SITES, collection, faults, feature, table
from tests.sites.test_exchange import NOW

KNOWN = {"slug": "battant", "name": "Battant", "kind": "square", "address": "Rue Battant"}
POINT = {"type": "Point", "coordinates": [6.0185, 47.243]}


def place(db: Session) -> tuple[float, float]:
    site = db.scalars(select(Site).where(Site.slug == "battant")).one()
    return site.longitude, site.latitude


@pytest.mark.parametrize(
    "document",
    [
        [{"datasetid": "bornes-wi-fi", "recordid": "0a1", "fields": KNOWN | {"geo_point_2d": [47.243, 6.0185]},
          "geometry": POINT, "record_timestamp": "2026-11-22T08:00:00Z"}],
        [{"fields": KNOWN | {"geo_point_2d": [47.243, 6.0185]}}],
        {"nhits": 1, "records": [{"fields": KNOWN | {"geo_shape": POINT}, "geometry": POINT}]},
        {"total_count": 1, "results": [KNOWN | {"geo_point_2d": {"lon": 6.0185, "lat": 47.243}}]},
        [KNOWN | {"geo_shape": {"type": "Feature", "geometry": POINT, "properties": {}},
                  "geo_point_2d": {"lon": 6.0185, "lat": 47.243}}],
        [KNOWN | {"geo_shape": {"type": "Feature", "geometry": POINT, "properties": {}}}],
        [KNOWN | {"longitude": 6.0185, "latitude": 47.243}],
    ],
)  # fmt: skip
def test_records_of_opendatasoft_are_read(db: Session, wifilib: Network, document: Any) -> None:
    assert import_records(db, SITES, json.dumps(document).encode()).created == ("battant",)
    assert place(db) == (6.0185, 47.243)


def test_a_multipoint_of_one_position_is_a_point(db: Session, wifilib: Network) -> None:
    geometry = {"type": "MultiPoint", "coordinates": [[6.0185, 47.243]]}
    import_records(db, SITES, collection({**feature(), "geometry": geometry}))
    assert place(db) == (6.0185, 47.243)


@pytest.mark.parametrize(
    "crs",
    [
        "urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326",
        "urn:ogc:def:crs:EPSG:9.8:4326", None,
    ],
)  # fmt: skip
def test_degrees_are_degrees_by_every_name(db: Session, wifilib: Network, crs: str | None) -> None:
    named = {"type": "name", "properties": {"name": crs}} if crs else None
    content = json.dumps(
        {"type": "FeatureCollection", "name": "bornes", "crs": named, "features": [feature()]}
    )
    assert import_records(db, SITES, content.encode()).created == ("battant",)


@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:EPSG::2154", "EPSG:3857", "EPSG:43260", "", 4326])
def test_other_coordinates_are_refused(db: Session, wifilib: Network, crs: object) -> None:
    named = {"type": "name", "properties": {"name": crs}}
    content = json.dumps({"type": "FeatureCollection", "crs": named, "features": [feature()]})
    [found] = faults(db, content.encode())
    assert "WGS 84" in found


def test_a_layer_of_qgis_is_read(db: Session, wifilib: Network) -> None:
    """It numbers the features, adds fid, writes null for what is empty, and heights."""
    qgis = feature(fid=7, note=None, opening_hours=None, rate_down_kbps=None)
    qgis["geometry"]["coordinates"].append(241.0)
    qgis["id"] = 7
    content = {"type": "FeatureCollection", "name": "bornes", "features": [qgis]}
    assert import_records(db, SITES, json.dumps(content).encode()).created == ("battant",)
    assert import_records(db, SITES, table("fid," + HEAD, "7," + GOOD)).changed == ("battant",)


def test_the_slug_may_be_the_features_identifier(db: Session, wifilib: Network) -> None:
    with_id = feature()
    del with_id["properties"]["slug"]
    with_id["id"] = "battant"
    assert import_records(db, SITES, collection(with_id)).created == ("battant",)


def test_our_own_public_list_changes_nothing_when_read_back(db: Session) -> None:
    load_demo(db, now=NOW)
    before = export_records(db, SITES, FileFormat.CSV)
    content = json.dumps(geojson(hotspots(db, now=NOW), now=NOW)).encode()
    result = import_records(db, SITES, content)
    assert (result.created, result.changed) == ((), ())
    assert len(result.unchanged) > 40
    assert export_records(db, SITES, FileFormat.CSV) == before


def test_a_table_with_none_of_our_columns_is_answered_in_two_sentences(db: Session, wifilib: Network) -> None:
    """The shape of Toulouse's list of 94 hotspots."""
    names = "geo_point_2d;geo_shape;site;adresse;annee_installation;connexion;disponibilite;num_ra"
    rows = [f"43.6,1.44;x;Site {number};Rue;2016;OUI;24/7;{number}" for number in range(94)]
    found = faults(db, table(names, *rows))
    assert len(found) == 2
    assert "there are no columns geo_point_2d, geo_shape, site" in "".join(found)
    assert "slug: there is no such column" in "".join(found)


def test_what_every_row_lacks_is_said_once(db: Session, wifilib: Network) -> None:
    rows = [f"site-{number};Site {number};square;47,24;6,02" for number in range(94)]
    assert faults(db, table("slug;name;kind;latitude;longitude", *rows)) == [
        "line 2 and 93 more: address: is missing"
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_of_a_french_excel_is_read(db: Session, wifilib: Network, encoding: str) -> None:
    text = (
        "sep=;\r\nslug;name;kind;address;latitude;longitude;networks;rate_down_kbps;ads_allowed\r\n"
        "battant;\u00a0Café «\u00a0Battant\u00a0» ;square;1, rue d’Été;47,243;6,0185;wifilib;"
        "55\u00a0000;VRAI\r\n;;;;;;;;\r\n \u00a0;;;;;;;;\r\n"
    )
    assert import_records(db, SITES, text.encode(encoding)).created == ("battant",)
    site = db.scalars(select(Site)).one()
    assert (site.name, site.address) == ("Café «\u00a0Battant\u00a0»", "1, rue d’Été")
    assert (site.rate_down_kbps, site.ads_allowed) == (55000, True)


def test_cells_at_the_end_that_excel_left_out_keep_what_they_are(db: Session, wifilib: Network) -> None:
    import_records(db, SITES, table(HEAD + ",note", GOOD + ",kept"))
    short = ",".join(GOOD.split(",")[:2])
    assert import_records(db, SITES, table(HEAD + ",note", short, "")).unchanged == ("battant",)


def test_hours_of_a_map_are_read_and_school_holidays_ask_whose(db: Session, wifilib: Network) -> None:
    head, row = HEAD + ",opening_hours,school_zone", GOOD + ',"Mo–Sa 9:00–18:30; SH off; PH off",'
    [fault] = faults(db, table(head, row))
    assert fault.startswith("line 2: school_zone: is empty, and opening_hours name SH")
    [fault] = faults(db, table(head, row + "D"))
    assert "A, B or C" in fault
    import_records(db, SITES, table(head, row + "Zone A"))
    before_holidays, in_holidays = datetime(2027, 2, 8, 10, tzinfo=UTC), datetime(2027, 2, 15, 10, tzinfo=UTC)
    for at, is_open in ((before_holidays, True), (in_holidays, False)):
        [spot] = hotspots(db, now=at)
        assert (spot.open, spot.school_zone) == (is_open, "A")
