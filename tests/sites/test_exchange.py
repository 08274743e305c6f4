"""Import and export: what a file does, that it does it once, and that a bad one does nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.ports import GatewayKind
from sites.demo.town import load_demo
from sites.errors import RefusedImport
from sites.exchange import GATEWAYS, NETWORKS, SITES, Form, Records, export_records, import_records
from sites.gateways import add_gateway, by_credential
from sites.models import Gateway, Network, Site, SiteKind, SiteState
from tests.sites.places import pierre_bayle, public_network, viotte

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = "slug,name,kind,address,latitude,longitude,networks"
GOOD = "battant,Battant,square,Rue Battant,47.243,6.0185,wifilib"


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def collection(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def feature(longitude: object = 6.0185, latitude: object = 47.243, **properties: Any) -> dict[str, Any]:
    known = {"slug": "battant", "name": "Battant", "kind": "square", "address": "Rue Battant"}
    geometry = {"type": "Point", "coordinates": [longitude, latitude]}
    return {"type": "Feature", "geometry": geometry, "properties": known | properties}


def faults(db: Session, content: bytes, records: Records = SITES) -> list[str]:
    """What the import is refused for. Nothing may have been written."""
    before = [export_records(db, kind) for kind in (NETWORKS, SITES, GATEWAYS)]
    with pytest.raises(RefusedImport) as refusal:
        import_records(db, records, content)
    db.flush()
    assert [export_records(db, kind) for kind in (NETWORKS, SITES, GATEWAYS)] == before
    return [str(fault) for fault in refusal.value.faults]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("records", [NETWORKS, SITES, GATEWAYS], ids=["networks", "sites", "gateways"])
def test_what_was_exported_changes_nothing_when_imported(db: Session, records: Records, form: Form) -> None:
    town(db)
    content = export_records(db, records, form)
    result = import_records(db, records, content)
    assert result.rows > 0
    assert (result.created, result.changed) == ((), ())
    assert export_records(db, records, form) == content


@pytest.mark.parametrize("form", Form)
def test_an_empty_database_becomes_the_exported_one(db: Session, form: Form) -> None:
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
        kind=GatewayKind.FAKE,
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
    exported = json.loads(export_records(db, SITES, Form.GEOJSON))
    assert exported["type"] == "FeatureCollection"
    [found] = exported["features"]
    assert found["geometry"] == {"type": "Point", "coordinates": [6.0185, 47.243]}
    assert found["properties"]["networks"] == ["wifilib"]
    assert found["properties"]["ads_allowed"] is True
    assert "latitude" not in found["properties"]


BAD_CELLS = [
    ("slug", "Battant!", "is not 1 to 64"),
    ("slug", "", "is not 1 to 64"),
    ("name", "", "is empty"),
    ("name", "x" * 121, "121 characters"),
    ("name", "a\x1b[2Jb", "control character"),
    ("kind", "castle", "none of station, tram_stop"),
    ("latitude", "91", "not between -90 and 90"),
    ("latitude", "nan", "not a number"),
    ("latitude", "47°14'", "not a number"),
    ("latitude", "", "not a number"),
    ("longitude", "-181", "not between -180 and 180"),
    ("networks", "wifilib nowhere", "no network nowhere; there are: bibliotheques, wifilib"),
    ("networks", "bibliotheques", "this is no library"),
    ("opening_hours", "Lu-Ve 9h-18h", "Lu-Ve 9h-18h"),
    ("zone", "Europe/Besancon", "no time zone"),
    ("zone", "../../etc/passwd", "no time zone"),
    ("state", "broken", "none of planned, live"),
    ("state_since", "2026-11-22 08:00", "does not say its offset"),
    ("state_since", "22/11/2026", "not a date"),
    ("ads_allowed", "maybe", "neither true nor false"),
    ("rate_down_kbps", "-1", "not between 0"),
    ("rate_down_kbps", "55 Mbit/s", "not a whole number"),
    ("rate_up_kbps", "١٥", "not a whole number"),
    ("note", "a\x07", "control character"),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BAD_CELLS)
def test_it_names_the_line_the_column_and_the_reason(
    db: Session, wifilib: Network, bibliotheques: Network, column: str, cell: str, reason: str
) -> None:
    cells = dict(zip(HEAD.split(","), GOOD.split(","), strict=True)) | {column: cell}
    content = table(",".join(cells), good_row_for(cells), ",".join(cells.values()))
    [found] = faults(db, content)
    assert found.startswith(f"line 3: {column}: "), found
    assert reason in found


def good_row_for(cells: dict[str, str]) -> str:
    good = dict(zip(HEAD.split(","), GOOD.split(","), strict=True)) | {"slug": "other"}
    return ",".join(good.get(name, "") for name in cells)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"eu_funded": "true", "ads_allowed": "true"}, "European money forbids ads"),
        ({"latitude": "6.0185", "longitude": "47.243"}, "look changed over"),
        (
            {"state_since": "2026-11-22T08:00:00Z", "state_until": "2026-11-22T09:00:00+01:00"},
            "not after state_since",
        ),
    ],
)
def test_it_refuses_cells_that_do_not_go_together(
    db: Session, wifilib: Network, cells: dict[str, str], reason: str
) -> None:
    cells = dict(zip(HEAD.split(","), GOOD.split(","), strict=True)) | cells
    [found] = faults(db, table(",".join(cells), ",".join(cells.values())))
    assert reason in found


def test_it_collects_all_faults_of_a_file(db: Session, wifilib: Network) -> None:
    found = faults(
        db,
        table(
            HEAD + ",longitud",
            GOOD + ",",
            "battant,Encore,square,Rue,47,6,,",
            'x,"two\nlines",castle,Rue,47,6,,',
            "short,row",
            "swapped,S,square,Rue,6.02,47.24,,",
        ),
    )
    assert [text.partition(": ")[0] for text in found] == [
        "line 1",
        "line 3",
        "line 4",
        "line 4",
        "line 6",
        "line 7",
    ]
    assert "is it longitude?" in found[0]
    assert "battant is already on line 2" in found[1]
    assert "2 cells for 8 columns" in found[4]


def test_notes_on_top_count_as_lines(db: Session, wifilib: Network) -> None:
    [found] = faults(db, table("# a note", "", "# another", HEAD, GOOD.replace("square", "castle")))
    assert found.startswith("line 5: kind")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (table("slug,name,slug", "a,b,c"), "line 1: slug: this column is there twice"),
        (table("name", "Battant"), "line 2: slug: is missing"),
        (table("slug", "battant"), "line 2: name: is missing"),
        (table(HEAD, GOOD).replace(b"Rue", b"R\xe9e"), "line 2: not UTF-8; it looks like Windows-1252 ('é')"),
        (table(HEAD, GOOD).decode().encode("utf-16"), "UTF-16"),
        (table(HEAD, GOOD.replace("Rue", "R\0e")), "line 2: holds a NUL"),
        (table(HEAD, GOOD, 'x,"never closed'), "line 3: cannot be read on from here"),
        (table(HEAD, GOOD, "x," + "y" * 140_000), "line 3: cannot be read on from here"),
        (b"a" * (10 * 1024 * 1024), "10,485,760 bytes; at most"),
        (b"{", "line 1: is not JSON"),
        (b"[]", "not a GeoJSON FeatureCollection"),
        (b"[" * 100_000, "is not JSON that can be read"),
        (b'{"type": "FeatureCollection"}', "no list of features"),
        (
            b'{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:2154"}}}',
            "WGS 84",
        ),
        (collection("x"), "feature 1: is not a Feature"),
        (collection({"type": "Feature"}), "feature 1: has no properties"),
        (collection(feature(), feature(slug="b", name={})), "feature 2: property 'name'"),
        (collection(feature("6", 47)), "feature 1: its coordinates"),
        (collection(feature(True, 47)), "feature 1: its coordinates"),
        (collection(feature(float("nan"), 47)), "NaN is not a number"),
        (
            collection(feature(47.2, 6.0)),
            "feature 1: latitude: 6.0 with longitude 47.2: they look changed over",
        ),
        (collection(feature(name="\0")), "feature 1: name: holds what is no character"),
        (collection(feature(name="\ud800")), "feature 1: name: holds what is no character"),
        (collection({**feature(), "geometry": {"type": "Polygon", "coordinates": []}}), "not a Point"),
        (collection({**feature(), "geometry": None}), "feature 1: latitude: is missing"),
    ],
)
def test_it_refuses_a_file_that_cannot_be_right(
    db: Session, wifilib: Network, content: bytes, reason: str
) -> None:
    found = faults(db, content)
    assert any(reason in text for text in found), found


def test_a_network_with_a_gateway_cannot_be_taken_from_its_site(db: Session, station: Site) -> None:
    gateway(db, station)
    [found] = faults(db, table("slug,networks", "gare-viotte,"))
    assert "a gateway here still serves wifilib" in found


def gateway(db: Session, site: Site) -> None:
    add_gateway(
        db,
        identity="viotte-1",
        kind=GatewayKind.FAKE,
        site=site,
        network=site.networks[0],
        client_prefixes=["10.66.0.0/24"],
    )


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"terms_fr": "Soyez sages."}, "the terms changed, and their version did not"),
        ({"terms_fr": "", "terms_en": "", "terms_version": "2"}, "no terms in any language"),
        ({"ssid": "é" * 17}, "more than 32 bytes"),
        ({"signin_methods": "patron"}, "signin_methods has no free"),
        ({"signin_methods": "telepathy"}, "none of patron, pass, free"),
        ({"signin_methods": ""}, "at least one of"),
        ({"lease_seconds": "0"}, "not between 60"),
        ({"renewal_seconds": "1800"}, "not shorter than lease_seconds"),
        ({"devices_per_person": "0"}, "not between 1"),
        ({"accent": "red;background:url(//evil)"}, "no colour"),
        ({"kind": "library"}, "gare-viotte offers it and is no library"),
    ],
)
def test_it_refuses_a_network_that_cannot_be(
    db: Session, station: Site, cells: dict[str, str], reason: str
) -> None:
    cells = {"slug": "wifilib"} | cells
    [found] = faults(db, table(",".join(cells), ",".join(cells.values())), NETWORKS)
    assert reason in found


def test_new_terms_come_with_a_new_version(db: Session, wifilib: Network) -> None:
    import_records(db, NETWORKS, table("slug,terms_de,terms_version,accent", "wifilib,Seid nett.,2,#0b5"))
    assert wifilib.terms == {"fr": "Soyez gentils.", "en": "Be kind.", "de": "Seid nett."}
    assert (wifilib.terms_version, wifilib.look) == ("2", {"accent": "#0b5"})


GATE = "identity,kind,site,network,client_prefixes"


def test_a_new_gateway_gets_a_credential_that_is_shown_once(db: Session, station: Site) -> None:
    content = table(GATE, "viotte-1,fake,gare-viotte,wifilib,10.66.0.0/24 fd66::/64")
    result = import_records(db, GATEWAYS, content)
    found = by_credential(db, result.credentials["viotte-1"])
    assert found is not None
    assert (found.identity, found.client_prefixes) == ("viotte-1", ["10.66.0.0/24", "fd66::/64"])
    assert result.credentials["viotte-1"] not in repr(result)
    again = import_records(db, GATEWAYS, content)
    assert (again.unchanged, dict(again.credentials)) == (("viotte-1",), {})
    assert by_credential(db, result.credentials["viotte-1"]) is found


@pytest.mark.parametrize("form", Form)
def test_an_export_holds_no_credential(db: Session, station: Site, form: Form) -> None:
    gateway(db, station)
    digest = db.scalars(select(Gateway.credential_digest)).one()
    assert digest.encode() not in export_records(db, GATEWAYS, form)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,fake,nowhere,wifilib,10.1.0.0/24", "site: there is no site nowhere"),
        ("x,fake,gare-viotte,bibliotheques,10.1.0.0/24", "does not offer network bibliotheques"),
        ("x,cisco,gare-viotte,wifilib,10.1.0.0/24", "kind: 'cisco' is none of nftables, fake"),
        ("x,fake,gare-viotte,wifilib,10.1.0.1/24", "host bits"),
        ("x,fake,gare-viotte,wifilib,", "at least one"),
        ("x,fake,gare-viotte,wifilib,10.66.0.0/16", "overlap those of viotte-1"),
    ],
)
def test_it_refuses_a_gateway_that_cannot_be(
    db: Session, station: Site, bibliotheques: Network, row: str, reason: str
) -> None:
    gateway(db, station)
    [found] = faults(db, table(GATE, row), GATEWAYS)
    assert reason in found


def test_two_gateways_of_one_file_may_not_overlap_at_a_site(db: Session, station: Site) -> None:
    rows = [f"{name},fake,gare-viotte,wifilib,10.1.0.0/24" for name in ("a", "b")]
    [found] = faults(db, table(GATE, *rows), GATEWAYS)
    assert found.startswith("line 3: client_prefixes: overlap those of a")


def test_two_sites_may_use_one_private_prefix(db: Session, station: Site, wifilib: Network) -> None:
    db.add(viotte(slug="battant", networks=[wifilib]))
    rows = [f"{site}-1,fake,{site},wifilib,10.1.0.0/24" for site in ("battant", "gare-viotte")]
    assert len(import_records(db, GATEWAYS, table(GATE, *rows)).created) == 2


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
