"""A map without tiles: sites projected into a view box, and the lines that make the town recognisable.

Equirectangular around the middle latitude: over a town it is as good as Mercator, and a metre is the same length in
both directions. Positions are in the units of the view box, y downwards, as SVG has it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sites.directory import Hotspot
from sites.map_background import Bounds, Feature, MapBackground, Point
from sites.models import SiteKind, SiteState


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
NOTHING = MapBackground()
# The equator's length by 360 degrees, in metres.
_DEGREE_METRES = 111_320.0


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
class Line:
    """`outline` is the value of an SVG ``polyline``'s ``points``."""

    feature: Feature
    outline: str


@dataclass(frozen=True, slots=True)
class TownMap:
    """`lines` are those that run through this part of the world; `metre` is its length in the view box."""

    width: float
    height: float
    metre: float
    lines: tuple[Line, ...]
    markers: tuple[Marker, ...]


def draw(
    spots: Sequence[Hotspot],
    background: MapBackground = NOTHING,
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
    area = bounds or _around(spots, background)
    view = _View.fit(area, width, height, margin=2 * radius)
    markers = tuple(_marker(number, spot, view, radius) for number, spot in numbered)
    lines = tuple(_line(line, view) for line in background.lines if line.bounds.meets(area))
    return TownMap(width, height, view.scale, lines, markers)


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


def _line(line: Feature, view: _View) -> Line:
    return Line(line, _points(view.project(longitude, latitude) for longitude, latitude in line.points))


def _around(spots: Sequence[Hotspot], background: MapBackground) -> Bounds:
    """All sites; before there are any, what the town wants to be shown."""
    if not spots:
        shown = (*background.parts, *background.lines)
        return shown[0].bounds if shown else Bounds(0, 0, 0, 0)
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
