"""A bad file does nothing, and every fault in it is named with its place and reason."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from sites.models import Network
from tests.sites.files import GOOD, HEAD, collection, faults, feature, table

BAD_CELLS = [
    ("slug", "Battant!", "is not 1 to 64"),
    ("slug", "", "is empty"),
    ("name", "", "is empty"),
    ("name", "x" * 121, "121 characters"),
    ("name", "a\x1b[2Jb", "control character"),
    ("kind", "castle", "none of station, tram_stop"),
    ("kind", "", "is empty: one of station, tram_stop"),
    ("latitude", "91", "not between -90 and 90"),
    ("latitude", "nan", "not a number"),
    ("latitude", "47°14'", "not a number"),
    ("latitude", "", "is empty"),
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
    ("lease_seconds", "59", "not between 60 and"),
    ("longest_wait_seconds", "61", "not between 0 and 60"),
    ("lease_seconds", "300", "on wifilib, 300 is not longer than renewal_seconds of the network"),
    ("viewing_seconds", "16", "on wifilib, 16 is longer than longest_wait_seconds, 15"),
    ("longest_wait_seconds", "4", "on wifilib, 4 is shorter than viewing_seconds, 5"),
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
        *["line 6"] * 4,
        "line 7",
    ]
    assert "is it longitude?" in found[0]
    assert "battant is already on line 2" in found[1]
    assert [text.split(": ")[1] for text in found[4:8]] == ["kind", "address", "latitude", "longitude"]


def test_notes_on_top_count_as_lines(db: Session, wifilib: Network) -> None:
    [found] = faults(db, table("# a note", "", "# another", HEAD, GOOD.replace("square", "castle")))
    assert found.startswith("line 5: kind")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (table("slug,name,slug", "a,b,c"), "line 1: slug: this column is there twice"),
        (table("name", "Battant"), "line 1: slug: there is no such column; the columns are slug, name"),
        (table("slug", "battant"), "line 2: name: is missing"),
        (
            table(HEAD, GOOD).replace(b"Rue", b"R\x8ee"),
            "line 2: neither UTF-8 nor the Windows-1252 of a French text",
        ),
        (table(HEAD, GOOD).replace(b"Rue", b"R\x81e"), "line 2: neither UTF-8 nor"),
        (table(HEAD, GOOD).decode().encode("utf-16") + b"x", "cut off: save it as"),
        (table(HEAD, GOOD, "x,Battant,squ"), "line 3: the file is cut off here: 3 cells of 7"),
        (
            table(HEAD, GOOD.replace("Rue Battant", "#REF!")),
            "line 2: address: #REF! is an error of the spreadsheet",
        ),
        (table(HEAD, GOOD.replace("Rue Battant", "#N/A")), "line 2: address: #N/A is an error"),
        (table(HEAD, GOOD.replace("47.243", "######")), "line 2: latitude: ##### is what a column shows"),
        (
            table(HEAD, GOOD.replace("Rue", "Caf\u00c3\u00a9")),
            "line 2: address: holds letters that were read in a wrong",
        ),
        (table(HEAD, GOOD.replace("Rue", "R\0e")), "line 2: holds a NUL"),
        (table(HEAD, GOOD, 'x,"never closed'), "line 3: cannot be read on from here"),
        (table(HEAD, GOOD, "x," + "y" * 140_000), "line 3: cannot be read on from here"),
        (b"a" * (10 * 1024 * 1024), "10,485,760 bytes; at most"),
        (b"{", "line 1: is not JSON"),
        (b"[]", "neither a GeoJSON FeatureCollection nor records"),
        (b"[1]", "neither a GeoJSON FeatureCollection nor records"),
        (b'{"records": []}', "neither a GeoJSON FeatureCollection nor records"),
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
        (
            collection({**feature(), "geometry": {"type": "MultiPoint", "coordinates": [[6, 47], [6, 48]]}}),
            "a site has one place",
        ),
        (
            collection({**feature(), "geometry": {"type": "MultiPoint", "coordinates": []}}),
            "a site has one place",
        ),
        (
            collection({"type": "Feature", "properties": None, "geometry": None}),
            "feature 1: slug: is missing",
        ),
        (collection({**feature(), "geometry": None}), "feature 1: latitude: is missing"),
    ],
)
def test_it_refuses_a_file_that_cannot_be_right(
    db: Session, wifilib: Network, content: bytes, reason: str
) -> None:
    found = faults(db, content)
    assert any(reason in text for text in found), found
