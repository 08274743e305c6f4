"""The map is true: directions, distances, and every marker inside its frame."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.directory import Hotspot, hotspot
from sites.map import BOUCLE, DOUBS, SHAPES, Bounds, MapShape, draw
from sites.models import SiteKind
from tests.sites.places import viotte

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def spot(slug: str, latitude: float, longitude: float, kind: SiteKind = SiteKind.SQUARE) -> Hotspot:
    return hotspot(viotte(slug=slug, latitude=latitude, longitude=longitude, kind=kind), now=NOW)


STATION = spot("gare-viotte", 47.2470, 6.0220, SiteKind.STATION)
CITADEL = spot("citadelle", 47.2319, 6.0317, SiteKind.LANDMARK)
HOSPITAL = spot("minjoz", 47.2264, 5.9639)


def corners(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_north_is_up_and_east_is_right() -> None:
    station, citadel, hospital = draw([STATION, CITADEL, HOSPITAL]).markers
    assert station.y < citadel.y < hospital.y
    assert hospital.x < station.x < citadel.x


def test_a_metre_is_the_same_in_both_directions() -> None:
    drawn = draw([STATION, CITADEL, HOSPITAL])
    station, citadel, _ = drawn.markers
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
    for marker in draw(spots, width=width, height=height).markers:
        for x, y in corners(marker.outline):
            assert -0.1 <= x <= width + 0.1
            assert -0.1 <= y <= height + 0.1


def test_a_site_alone_is_in_the_middle() -> None:
    [marker] = draw([STATION], width=640, height=400).markers
    assert (marker.x, marker.y) == (320.0, 200.0)


def test_no_sites_still_make_a_map() -> None:
    drawn = draw([])
    assert drawn.markers == ()
    assert len(corners(drawn.river)) == len(DOUBS)


def test_each_kind_has_a_shape_of_its_own() -> None:
    assert set(SHAPES) == set(SiteKind)
    assert len(set(SHAPES.values())) == len(SiteKind)
    outlines = {kind: draw([spot("x", 47.0, 6.0, kind)]).markers[0].outline for kind in SiteKind}
    for one, other in combinations(outlines.values(), 2):
        assert one != other
    assert len(corners(outlines[SiteKind.LIBRARY])) == 3
    assert SHAPES[SiteKind.TRAM_STOP] is MapShape.CIRCLE


def test_the_old_town_has_a_map_of_its_own_with_the_numbers_of_the_list() -> None:
    drawn = draw([HOSPITAL, CITADEL, STATION], bounds=BOUCLE)
    assert [(marker.number, marker.slug) for marker in drawn.markers] == [
        (2, "citadelle"),
        (3, "gare-viotte"),
    ]


def test_the_river_goes_round_the_old_town() -> None:
    old_town = Bounds(west=6.0190, south=47.2325, east=6.0300, north=47.2400)
    assert not any(old_town.holds(longitude, latitude) for longitude, latitude in DOUBS)
    assert any(longitude < old_town.west and old_town.south < latitude for longitude, latitude in DOUBS)
    assert any(latitude > old_town.north for _, latitude in DOUBS)
    assert any(
        longitude > old_town.east and old_town.south < latitude < old_town.north
        for longitude, latitude in DOUBS
    )


def test_the_same_sites_give_the_same_map() -> None:
    assert draw([STATION, CITADEL]) == draw([STATION, CITADEL])


def test_a_town_elsewhere_has_no_river_of_besancon() -> None:
    """Le Havre: neither the Doubs nor the old town that it runs around."""
    spots = [spot("gare", 49.4927, 0.1245), spot("plage", 49.4930, 0.0930)]
    assert draw(spots).river == ""
    assert draw(spots, bounds=BOUCLE).markers == ()
