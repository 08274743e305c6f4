"""A map without tiles: sites projected into a view box, and the river that makes the town recognisable.

Equirectangular around the middle latitude: over a town it is as good as Mercator, and a metre is the same length in
both directions. Positions are in the units of the view box, y downwards, as SVG has it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sites.directory import Hotspot
from sites.models import SiteKind, SiteState

Point = tuple[float, float]

# Longitude and latitude of the Doubs from upstream to downstream, drawn by hand from its well-known shape: past
# Rivotte, around the old town (la Boucle), past Tarragnoz and on to Velotte. Approximate: not for navigation.
DOUBS: tuple[Point, ...] = (
    (6.0830, 47.2560),
    (6.0730, 47.2470),
    (6.0620, 47.2400),
    (6.0500, 47.2362),
    (6.0410, 47.2345),
    (6.0365, 47.2352),
    (6.0348, 47.2380),
    (6.0335, 47.2405),
    (6.0300, 47.2418),
    (6.0250, 47.2418),
    (6.0205, 47.2405),
    (6.0172, 47.2388),
    (6.0155, 47.2362),
    (6.0163, 47.2335),
    (6.0195, 47.2318),
    (6.0240, 47.2308),
    (6.0275, 47.2298),
    (6.0290, 47.2285),
    (6.0270, 47.2268),
    (6.0215, 47.2255),
    (6.0150, 47.2240),
    (6.0080, 47.2222),
    (6.0010, 47.2195),
    (5.9930, 47.2165),
    (5.9850, 47.2120),
    (5.9720, 47.2075),
)


class MapShape(enum.StrEnum):
    CIRCLE = "circle"
    SQUARE = "square"
    DIAMOND = "diamond"
    TRIANGLE = "triangle"
    TRIANGLE_DOWN = "triangle_down"
    PENTAGON = "pentagon"
    HEXAGON = "hexagon"
    OCTAGON = "octagon"
    STAR = "star"


SHAPES = {
    SiteKind.STATION: MapShape.DIAMOND,
    SiteKind.TRAM_STOP: MapShape.CIRCLE,
    SiteKind.SQUARE: MapShape.SQUARE,
    SiteKind.LANDMARK: MapShape.STAR,
    SiteKind.SPORTS_HALL: MapShape.PENTAGON,
    SiteKind.LIBRARY: MapShape.TRIANGLE,
    SiteKind.SCHOOL: MapShape.HEXAGON,
    SiteKind.TOWN_BUILDING: MapShape.OCTAGON,
    SiteKind.SHOP: MapShape.TRIANGLE_DOWN,
}
# Corners, and the first corner's turn from the top in degrees.
_CORNERS = {
    MapShape.CIRCLE: (24, 0.0),
    MapShape.SQUARE: (4, 45.0),
    MapShape.DIAMOND: (4, 0.0),
    MapShape.TRIANGLE: (3, 0.0),
    MapShape.TRIANGLE_DOWN: (3, 180.0),
    MapShape.PENTAGON: (5, 0.0),
    MapShape.HEXAGON: (6, 30.0),
    MapShape.OCTAGON: (8, 22.5),
    MapShape.STAR: (10, 0.0),
}
# The equator's length by 360 degrees, in metres.
_DEGREE_METRES = 111_320.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A part of the world in degrees (WGS 84)."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north


# The old town, for a second map on which its squares do not cover each other.
BOUCLE = Bounds(west=6.0120, south=47.2270, east=6.0400, north=47.2485)


@dataclass(frozen=True, slots=True)
class Marker:
    """`outline` is the value of an SVG ``polygon``'s ``points``. `number` is the place in the list, from 1."""

    number: int
    slug: str
    name: str
    kind: SiteKind
    state: SiteState
    shape: MapShape
    x: float
    y: float
    outline: str


@dataclass(frozen=True, slots=True)
class TownMap:
    """`river` is the value of an SVG ``polyline``'s ``points``, empty for a town that it does not run through; `metre`
    is its length in the view box.
    """

    width: float
    height: float
    metre: float
    river: str
    markers: tuple[Marker, ...]


def draw(
    spots: Sequence[Hotspot],
    *,
    width: float = 640.0,
    height: float = 400.0,
    radius: float = 6.0,
    bounds: Bounds | None = None,
) -> TownMap:
    """Project the sites into a view box of `width` by `height`, all of them, or those within `bounds`.

    Every marker lies wholly inside the box. The same sites give the same map.
    """
    numbered = [(number, spot) for number, spot in enumerate(spots, start=1)]
    if bounds is not None:
        numbered = [
            (number, spot) for number, spot in numbered if bounds.holds(spot.longitude, spot.latitude)
        ]
    area = bounds or _around(spots)
    view = _View.fit(area, width, height, margin=2 * radius)
    markers = tuple(_marker(number, spot, view, radius) for number, spot in numbered)
    river = ""
    if any(area.holds(*point) for point in DOUBS):
        river = _points(view.project(longitude, latitude) for longitude, latitude in DOUBS)
    return TownMap(width, height, view.scale, river, markers)


@dataclass(frozen=True, slots=True)
class _View:
    """Units for one metre, and where the middle of the world's part lies."""

    longitude: float
    latitude: float
    scale: float
    x: float
    y: float

    @classmethod
    def fit(cls, bounds: Bounds, width: float, height: float, *, margin: float) -> _View:
        latitude = (bounds.south + bounds.north) / 2
        across = (bounds.east - bounds.west) * _DEGREE_METRES * math.cos(math.radians(latitude))
        along = (bounds.north - bounds.south) * _DEGREE_METRES
        # One lone site would otherwise be magnified without end.
        across, along = max(across, 100.0), max(along, 100.0)
        scale = min((width - 2 * margin) / across, (height - 2 * margin) / along)
        return cls((bounds.west + bounds.east) / 2, latitude, scale, width / 2, height / 2)

    def project(self, longitude: float, latitude: float) -> Point:
        metres = _DEGREE_METRES * self.scale
        x = self.x + (longitude - self.longitude) * math.cos(math.radians(self.latitude)) * metres
        return round(x, 1), round(self.y - (latitude - self.latitude) * metres, 1)


def _around(spots: Sequence[Hotspot]) -> Bounds:
    if not spots:
        return BOUCLE
    longitudes = [spot.longitude for spot in spots]
    latitudes = [spot.latitude for spot in spots]
    return Bounds(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _marker(number: int, spot: Hotspot, view: _View, radius: float) -> Marker:
    shape = SHAPES[spot.kind]
    x, y = view.project(spot.longitude, spot.latitude)
    outline = _points(_polygon(shape, x, y, radius))
    return Marker(number, spot.slug, spot.name, spot.kind, spot.state, shape, x, y, outline)


def _polygon(shape: MapShape, x: float, y: float, radius: float) -> Iterable[Point]:
    corners, turn = _CORNERS[shape]
    for corner in range(corners):
        angle = math.radians(turn + 360 * corner / corners)
        reach = radius * (0.45 if shape is MapShape.STAR and corner % 2 else 1.0)
        yield x + reach * math.sin(angle), y - reach * math.cos(angle)


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
