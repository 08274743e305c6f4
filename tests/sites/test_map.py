"""The map is true: directions, distances, and every marker inside its frame."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.demo.town import MAP_FILE
from sites.directory import Hotspot, hotspot
from sites.errors import RefusedImport
from sites.map import APART, SHAPES, MapShape, draw
from sites.map_background import Bounds, Layer, read_background
from sites.map_clusters import cluster
from sites.models import SiteKind, SiteState
from tests.sites.files import collection, feature
from tests.sites.places import viotte

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def spot(slug: str, latitude: float, longitude: float, kind: SiteKind = SiteKind.SQUARE) -> Hotspot:
    return hotspot(viotte(slug=slug, latitude=latitude, longitude=longitude, kind=kind), now=NOW)


STATION = spot("gare-viotte", 47.2470, 6.0220, SiteKind.STATION)
CITADEL = spot("citadelle", 47.2319, 6.0317, SiteKind.LANDMARK)
HOSPITAL = spot("minjoz", 47.2264, 5.9639)
BESANCON = read_background(MAP_FILE.read_bytes())
DOUBS, [OLD_TOWN] = BESANCON.lines[0], BESANCON.parts


def corners(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_north_is_up_and_east_is_right() -> None:
    station, citadel, hospital = draw([STATION, CITADEL, HOSPITAL]).marks
    assert station.y < citadel.y < hospital.y
    assert hospital.x < station.x < citadel.x


def test_a_metre_is_the_same_in_both_directions() -> None:
    drawn = draw([STATION, CITADEL, HOSPITAL])
    station, citadel, _ = drawn.marks
    # 1,681 m southwards and 732 m eastwards at this latitude.
    assert (citadel.y - station.y) / drawn.metre == pytest.approx(1681, rel=0.01)
    assert (citadel.x - station.x) / drawn.metre == pytest.approx(732, rel=0.01)


@given(
    st.lists(st.tuples(st.floats(-80, 80), st.floats(-179, 179)), min_size=1, max_size=8),
    st.sampled_from([(640.0, 400.0), (300.0, 600.0)]),
)
def test_every_marker_is_wholly_inside(places: list[tuple[float, float]], size: tuple[float, float]) -> None:
    spots = [spot(str(number), *place) for number, place in enumerate(places)]
    width, height = size
    for mark in draw(spots, width=width, height=height).marks:
        for x, y in corners(mark.outline):
            assert -0.1 <= x <= width + 0.1
            assert -0.1 <= y <= height + 0.1


def test_a_site_alone_is_in_the_middle() -> None:
    [marker] = draw([STATION], width=640, height=400).marks
    assert (marker.x, marker.y) == (320.0, 200.0)


def test_no_sites_still_make_a_map() -> None:
    assert draw([]).marks == ()
    drawn = draw([], BESANCON)
    assert drawn.marks == ()
    assert len(corners(drawn.lines[0].outline)) == len(DOUBS.points)


def test_each_kind_has_a_shape_of_its_own() -> None:
    assert set(SHAPES) == set(SiteKind)
    assert len(set(SHAPES.values())) == len(SiteKind)
    outlines = {kind: draw([spot("x", 47.0, 6.0, kind)]).marks[0].outline for kind in SiteKind}
    for one, other in combinations(outlines.values(), 2):
        assert one != other
    assert len(corners(outlines[SiteKind.LIBRARY])) == 3
    assert SHAPES[SiteKind.TRAM_STOP] is MapShape.CIRCLE


def test_the_old_town_has_a_map_of_its_own_with_the_numbers_of_the_list() -> None:
    drawn = draw([HOSPITAL, CITADEL, STATION], BESANCON, bounds=OLD_TOWN.bounds)
    assert [(mark.numbers[0], mark.spots[0].slug) for mark in drawn.marks] == [
        (2, "citadelle"),
        (3, "gare-viotte"),
    ]


def test_the_river_goes_round_the_old_town() -> None:
    old_town = Bounds(west=6.0190, south=47.2325, east=6.0300, north=47.2400)
    assert not any(old_town.holds(longitude, latitude) for longitude, latitude in DOUBS.points)
    assert any(
        longitude < old_town.west and old_town.south < latitude for longitude, latitude in DOUBS.points
    )
    assert any(latitude > old_town.north for _, latitude in DOUBS.points)
    assert any(
        longitude > old_town.east and old_town.south < latitude < old_town.north
        for longitude, latitude in DOUBS.points
    )


def test_the_same_sites_give_the_same_map() -> None:
    assert draw([STATION, CITADEL]) == draw([STATION, CITADEL])


def test_a_line_far_from_the_sites_is_not_drawn() -> None:
    """Le Havre with the file of Besançon: neither the Doubs nor the old town that it runs around."""
    spots = [spot("gare", 49.4927, 0.1245), spot("plage", 49.4930, 0.0930)]
    assert draw(spots, BESANCON).lines == ()
    assert draw(spots, BESANCON, bounds=OLD_TOWN.bounds).marks == ()


def test_a_line_that_only_crosses_the_sites_part_of_the_world_is_drawn() -> None:
    motorway = read_background(collection(line([[-10, 49.4928], [10, 49.4928]], name="l’autoroute")))
    spots = [spot("gare", 49.4927, 0.1245), spot("plage", 49.4930, 0.0930)]
    assert [drawn.feature.name("en") for drawn in draw(spots, motorway).lines] == ["l’autoroute"]


def test_a_line_is_called_by_its_name_in_the_language_of_the_page() -> None:
    assert (DOUBS.name("fr"), DOUBS.name("en"), DOUBS.name("de")) == (
        "le Doubs",
        "the river Doubs",
        "le Doubs",
    )


def test_streets_and_parks_are_read_by_their_layer_and_lie_under_the_tramway() -> None:
    rail = line([[0.09, 49.49], [0.13, 49.5]], name="le tram", layer="rail")
    street = line([[0.09, 49.495], [0.13, 49.49]], name="la rue", layer="street")
    park = line(SQUARE, name="le parc", layer="park")
    park["geometry"] = {"type": "Polygon", "coordinates": [SQUARE]}
    background = read_background(collection(rail, street, park))
    spots = [spot("gare", 49.4927, 0.1245), spot("plage", 49.4930, 0.0930)]
    drawn = draw(spots, background)
    assert [one.feature.layer for one in drawn.lines] == [Layer.STREET, Layer.RAIL]
    assert [one.feature.layer for one in drawn.areas] == [Layer.PARK]
    assert background.parts == ()


def test_a_name_stands_on_its_line_and_on_no_mark() -> None:
    street = line([[0.09, 49.495], [0.13, 49.495]], name="Rue de Paris", layer="street")
    far = [spot("a", 49.51, 0.09), spot("b", 49.48, 0.13)]
    [label] = draw(far, read_background(collection(street))).labels
    assert (label.text, label.turn) == ("Rue de Paris", 0.0)
    along = [spot(str(number), 49.495, 0.09 + number / 1000) for number in range(41)]
    assert draw([*far, *along], read_background(collection(street))).labels == ()


SQUARE = [[0.1, 49.49], [0.11, 49.49], [0.11, 49.495], [0.1, 49.49]]
PLACES = st.lists(st.tuples(st.floats(0, 340), st.floats(0, 340)), max_size=40)


@given(PLACES)
def test_no_mark_lies_over_another_and_every_site_is_in_exactly_one(
    places: list[tuple[float, float]],
) -> None:
    found = cluster(places, APART)
    for one, other in combinations(found, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) >= APART
    assert sorted(member for one in found for member in one.members) == list(range(len(places)))
    assert found == cluster(list(places), APART)


@given(st.lists(st.tuples(st.floats(47.2, 47.3), st.floats(5.9, 6.1)), min_size=1, max_size=20))
def test_no_mark_of_a_map_reaches_into_another(places: list[tuple[float, float]]) -> None:
    kinds = itertools.cycle(SiteKind)
    spots = [spot(str(number), *place, next(kinds)) for number, place in enumerate(places)]
    drawn = draw(spots, width=340.0)
    for one, other in combinations(drawn.marks, 2):
        reach = [
            max(math.dist((mark.x, mark.y), corner) for corner in corners(mark.outline))
            for mark in (one, other)
        ]
        assert math.dist((one.x, one.y), (other.x, other.y)) >= sum(reach) - 0.3
    assert sorted(number for mark in drawn.marks for number in mark.numbers) == list(range(1, len(spots) + 1))
    assert len({mark.label for mark in drawn.marks}) == len(drawn.marks)


def test_places_at_one_spot_share_a_mark_that_works_where_any_does() -> None:
    [mark] = draw([STATION, spot("battant", 47.2470, 6.0220)]).marks
    assert (mark.label, mark.numbers, mark.state) == ("A", (1, 2), SiteState.LIVE)


def line(coordinates: object, **properties: object) -> dict[str, object]:
    geometry = {"type": "LineString", "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


SHORE = [[0.05, 49.5], [0.12, 49.48]]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line(SHORE), "feature 2: properties have no name"),
        (line(SHORE, name=" "), "feature 2: properties have no name"),
        (line(SHORE, name="x" * 61), "feature 2: name is longer than 60"),
        (line([[0.05, 49.5]], name="la plage"), "feature 2: coordinates are too few for a LineString"),
        (
            line([[49.5, 0.05], [49.48, 181.2]], name="la plage"),
            "feature 2: [49.48, 181.2] is not in degrees",
        ),
        (line([[0.05, "x"], [0.1, 49]], name="la plage"), "feature 2: [0.05, 'x'] is no position"),
        (line([[0.05, True], [0.1, 49]], name="la plage"), "feature 2: [0.05, True] is no position"),
        (line([0.05, 49.5], name="la plage"), "feature 2: 0.05 is no position"),
        ({"type": "Feature", "geometry": None, "properties": {}}, "feature 2: geometry is missing"),
        (
            line(SHORE, name="la rue", layer="park"),
            "feature 2: layer is 'park': that of a LineString is one of",
        ),
        (feature(), "feature 2: geometry is Point: write a LineString"),
        ("x", "feature 2: geometry is missing"),
        (line(SHORE * 500, name="la plage"), "file: 1002 points; at most 1000"),
    ],
)
def test_a_bad_feature_is_told_by_its_number(bad: object, words: str) -> None:
    with pytest.raises(RefusedImport) as refusal:
        read_background(collection(line(SHORE, name="la mer"), bad))
    assert len(refusal.value.faults) == 1
    assert words in str(refusal.value)


def test_a_file_that_is_no_geojson_is_refused() -> None:
    for content in (b"slug,name", b"[]", b'{"type": "Feature"}', b"\xff\xfe\0"):
        with pytest.raises(RefusedImport):
            read_background(content)
