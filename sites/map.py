"""A map without tiles: sites projected into a view box, and the lines that make the town recognisable.

Equirectangular around the middle latitude: over a town it is as good as Mercator, and a metre is the same length in
both directions. Positions are in the units of the view box, y downwards, as SVG has it.
"""

from __future__ import annotations

import enum
import itertools
import math
import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sites.directory import Hotspot
from sites.map_background import Bounds, Feature, Layer, MapBackground, Point
from sites.map_clusters import Cluster, cluster
from sites.map_labels import Label, Labels
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


# Of a mark of one site, in the units of the view box.
RADIUS = 9.0
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
# Pointed shapes reach farther than round ones, so that all look as large and hold a number.
_REACH = {
    MapShape.TRIANGLE: 1.35,
    MapShape.TRIANGLE_DOWN: 1.35,
    MapShape.STAR: 1.45,
    MapShape.DIAMOND: 1.25,
    MapShape.SQUARE: 1.15,
}
_LARGEST_REACH = max(_REACH.values())
# What marks keep from each other, middle to middle: more than any is wide, and room for a tap (WCAG 2.2, 2.5.8).
APART = 26.0
# How high a map is by its width, so that it shows little beside the sites.
LOWEST, HIGHEST = 0.55, 1.1
NOTHING = MapBackground()
# The equator's length by 360 degrees, in metres.
_DEGREE_METRES = 111_320.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands for one site, or for several that would lie over each other.

    `label` is the site's place in the list, from 1; of several sites a letter. `outline` is the value of an SVG
    ``polygon``'s ``points``.
    """

    label: str
    numbers: tuple[int, ...]
    spots: tuple[Hotspot, ...]
    shape: MapShape
    x: float
    y: float
    radius: float
    outline: str

    @property
    def is_cluster(self) -> bool:
        return len(self.spots) > 1

    @property
    def state(self) -> SiteState:
        """That of the site; of several, whether any works."""
        states = [spot.state for spot in self.spots]
        return SiteState.LIVE if SiteState.LIVE in states else states[0]


@dataclass(frozen=True, slots=True)
class Line:
    """`outline` is the value of an SVG ``polyline``'s ``points``."""

    feature: Feature
    outline: str


@dataclass(frozen=True, slots=True)
class TownMap:
    """`areas` and `lines` are those that reach into this part of the world; `metre` is its length in the view box."""

    width: float
    height: float
    metre: float
    areas: tuple[Line, ...]
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    marks: tuple[Mark, ...]

    @property
    def clusters(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.is_cluster)

    def shows(self, mark: Mark) -> bool:
        """Whether all sites of a mark of another map are on this one."""
        return {spot.slug for spot in mark.spots} <= {spot.slug for one in self.marks for spot in one.spots}


def draw(
    spots: Sequence[Hotspot],
    background: MapBackground = NOTHING,
    *,
    width: float = 640.0,
    height: float | None = None,
    radius: float = RADIUS,
    bounds: Bounds | None = None,
    language: str = "",
) -> TownMap:
    """Project the sites into a view box of `width` by `height`, all of them, or those within `bounds`.

    Without a height it is what this part of the world asks for. Every mark lies wholly inside the box and none over
    another: each site is in exactly one. The same sites give the same map.
    """
    numbered = list(enumerate(spots, start=1))
    if bounds is not None:
        numbered = [
            (number, spot) for number, spot in numbered if bounds.holds(spot.longitude, spot.latitude)
        ]
    area = bounds or around(spots, background)
    height = height or round(width * min(max(area.proportion, LOWEST), HIGHEST))
    view = _View.fit(area, width, height, margin=_LARGEST_REACH * radius + 2)
    places = [view.project(spot.longitude, spot.latitude) for _, spot in numbered]
    marks = tuple(_marks(cluster(places, APART), numbered, radius))
    seen = view.bounds(width, height)
    areas = tuple(_line(one, view) for one in background.areas if one.bounds.meets(seen))
    # Streets lie under the tramway.
    lines = [one for one in background.lines if one.bounds.meets(seen)]
    lines.sort(key=lambda one: list(Layer).index(one.layer))
    labels = _labels(lines, view, Labels(width, height, [(m.x, m.y) for m in marks], radius), language)
    drawn = tuple(_line(line, view) for line in lines)
    return TownMap(width, height, view.scale, areas, drawn, tuple(labels), marks)


def place_at(
    x: float, y: float, bounds: Bounds, *, width: float, height: float, radius: float = RADIUS
) -> Point:
    """The longitude and latitude under a point of the map that `draw` makes of these bounds in this box."""
    return _View.fit(bounds, width, height, margin=_LARGEST_REACH * radius + 2).place(x, y)


def point_at(
    longitude: float, latitude: float, bounds: Bounds, *, width: float, height: float, radius: float = RADIUS
) -> Point:
    """Where on that map a place lies."""
    return _View.fit(bounds, width, height, margin=_LARGEST_REACH * radius + 2).project(longitude, latitude)


def outline(shape: MapShape, x: float, y: float, radius: float) -> str:
    """A shape around a point, for a map or for its legend."""
    return _points(_polygon(shape, x, y, radius))


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

    def place(self, x: float, y: float) -> Point:
        """The longitude and latitude of a point of the box."""
        metres = _DEGREE_METRES * self.scale
        longitude = self.longitude + (x - self.x) / metres / max(math.cos(math.radians(self.latitude)), 1e-6)
        return longitude, self.latitude - (y - self.y) / metres

    def bounds(self, width: float, height: float) -> Bounds:
        """What is seen of the world: more than was asked for, to both sides or above and below."""
        metres = _DEGREE_METRES * self.scale
        across = width / 2 / metres / max(math.cos(math.radians(self.latitude)), 1e-6)
        along = height / 2 / metres
        return Bounds(
            self.longitude - across, self.latitude - along, self.longitude + across, self.latitude + along
        )


def _line(line: Feature, view: _View) -> Line:
    return Line(line, _points(view.project(longitude, latitude) for longitude, latitude in line.points))


def around(spots: Sequence[Hotspot], background: MapBackground) -> Bounds:
    """All sites; before there are any, what the town wants to be shown."""
    if not spots:
        shown = (*background.parts, *background.lines)
        return shown[0].bounds if shown else Bounds(0, 0, 0, 0)
    longitudes = [spot.longitude for spot in spots]
    latitudes = [spot.latitude for spot in spots]
    return Bounds(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def _marks(
    clusters: Iterable[Cluster], numbered: Sequence[tuple[int, Hotspot]], radius: float
) -> Iterator[Mark]:
    letters = _letters()
    for found in clusters:
        numbers, spots = zip(*(numbered[member] for member in found.members), strict=True)
        alone = len(spots) == 1
        shape = SHAPES[spots[0].kind] if alone else MapShape.CIRCLE
        # A mark of several is larger, and as far from the others as its size asks for.
        reach = radius if alone else radius * 1.3
        label = str(numbers[0]) if alone else next(letters)
        around = outline(shape, found.x, found.y, reach)
        yield Mark(label, numbers, spots, shape, found.x, found.y, round(reach, 1), around)


def _letters() -> Iterator[str]:
    """A to Z, AA to ZZ: as many as a map can hold."""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_uppercase, repeat=length))


def _labels(lines: Iterable[Feature], view: _View, labels: Labels, language: str) -> Iterator[Label]:
    """The names that find room, those of the longest lines first."""
    projected = [(line.name(language), [view.project(*point) for point in line.points]) for line in lines]
    for name, points in sorted(projected, key=lambda one: -_length(one[1])):
        if (label := labels.along(name, points)) is not None:
            yield label


def _length(points: Sequence[Point]) -> float:
    return sum(math.dist(*piece) for piece in itertools.pairwise(points))


def _polygon(shape: MapShape, x: float, y: float, radius: float) -> Iterable[Point]:
    corners, turn = _CORNERS[shape]
    for corner in range(corners):
        angle = math.radians(turn + 360 * corner / corners)
        reach = radius * _REACH.get(shape, 1.0) * (0.5 if shape is MapShape.STAR and corner % 2 else 1.0)
        yield x + reach * math.sin(angle), y - reach * math.cos(angle)


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
