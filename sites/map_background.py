"""What stands on a town's map beside its sites, from a GeoJSON file (RFC 7946) that the town brings.

A LineString is a river or a shore, a street or a tramway; a Polygon is a part of the town with a larger map of its own,
a park or a lake: the property ``layer`` says which. Each is called by its property ``name``, or in a language by
``name_en``, ``name_fr`` ….
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateways.sentences import Sentence, reason_of
from sites.errors import ImportFault, RefusedImport
from sites.import_export.features import load_collection
from sites.import_export.rows import FILE

Point = tuple[float, float]


class Layer(enum.StrEnum):
    """What a feature is, in the order of drawing. A `PART` is not drawn."""

    PARK = "park"
    WATER = "water"
    STREET = "street"
    RAIL = "rail"
    PART = "part"


# The first is what a feature without the property is.
LAYERS = {
    "LineString": (Layer.WATER, Layer.STREET, Layer.RAIL),
    "Polygon": (Layer.PART, Layer.PARK, Layer.WATER),
}

LONGEST_NAME = 60
# The page with the map goes over a guest's phone before it is online: a line of a thousand points is 10 kB of it.
MOST_POINTS = 1000


@dataclass(frozen=True, slots=True)
class Bounds:
    """A part of the world in degrees (WGS 84)."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, longitude: float, latitude: float) -> bool:
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north

    @property
    def proportion(self) -> float:
        """The height of this part, in parts of its width on the ground."""
        across = (self.east - self.west) * math.cos(math.radians((self.south + self.north) / 2))
        return (self.north - self.south) / across if across else 1.0

    def meets(self, other: Bounds) -> bool:
        return (
            self.west <= other.east
            and other.west <= self.east
            and self.south <= other.north
            and other.south <= self.north
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """A line, or the corners of an area. `names` is by language, "" for any other."""

    names: Mapping[str, str]
    points: tuple[Point, ...]
    layer: Layer = Layer.WATER

    @property
    def bounds(self) -> Bounds:
        longitudes, latitudes = zip(*self.points, strict=True)
        return Bounds(min(longitudes), min(latitudes), max(longitudes), max(latitudes))

    def name(self, language: str) -> str:
        return self.names.get(language) or self.names.get("") or next(iter(self.names.values()))


@dataclass(frozen=True, slots=True)
class MapBackground:
    """`areas` and `lines` are drawn; `parts` are shown larger, each on a map of its own."""

    lines: tuple[Feature, ...] = ()
    parts: tuple[Feature, ...] = ()
    areas: tuple[Feature, ...] = ()


def read_background(content: bytes) -> MapBackground:
    """Read the file. Raises RefusedImport with what is wrong, feature by feature."""
    found: dict[str, list[Feature]] = {"lines": [], "areas": [], "parts": []}
    faults: list[ImportFault] = []
    for number, feature in enumerate(load_collection(content)["features"], start=1):
        try:
            kind, points = _geometry(feature)
            layer = _layer(feature, kind)
            use = "lines" if kind == "LineString" else "parts" if layer is Layer.PART else "areas"
            found[use].append(Feature(_names(feature), points, layer))
        except ValueError as error:
            faults.append(ImportFault(Sentence("feature %(number)s", number=number), None, reason_of(error)))
    total = sum(len(feature.points) for features in found.values() for feature in features)
    if total > MOST_POINTS:
        reason = Sentence(
            "%(total)s points; at most %(most)s are sent to a phone: simplify the lines",
            total=total,
            most=MOST_POINTS,
        )
        faults.append(ImportFault(FILE, None, reason))
    if faults:
        raise RefusedImport(faults)
    return MapBackground(**{use: tuple(features) for use, features in found.items()})


def _layer(feature: Mapping[str, Any], kind: str) -> Layer:
    properties, offered = feature.get("properties"), LAYERS[kind]
    word = properties.get("layer") if isinstance(properties, dict) else None
    if word is not None and word not in offered:
        words = ", ".join(offered)
        raise ValueError(f"layer is {str(word)[:40]!r}: that of a {kind} is one of {words}")
    return offered[0] if word is None else Layer(word)


def _geometry(feature: object) -> tuple[str, tuple[Point, ...]]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("LineString", "Polygon"):
        raise ValueError(
            f"geometry is {kind or 'missing'}: write a LineString, or a Polygon to be shown larger"
        )
    coordinates: Any = geometry.get("coordinates")
    if kind == "Polygon" and isinstance(coordinates, list) and coordinates:
        # The rings after the first are holes (section 3.1.6).
        coordinates = coordinates[0]
    if not isinstance(coordinates, list) or len(coordinates) < (4 if kind == "Polygon" else 2):
        raise ValueError(f"coordinates are too few for a {kind}")
    return kind, tuple(_point(position) for position in coordinates)


def _point(position: object) -> Point:
    numbers = position[:2] if isinstance(position, list) else []
    if len(numbers) != 2 or not all(
        isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
        for number in numbers
    ):
        raise ValueError(f"{str(position)[:40]} is no position: write [longitude, latitude]")
    longitude, latitude = float(numbers[0]), float(numbers[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError(f"{str(position)[:40]} is not in degrees of WGS 84, the longitude first")
    return longitude, latitude


def _names(feature: Mapping[str, object]) -> dict[str, str]:
    properties = feature.get("properties")
    names = dict(_found(properties)) if isinstance(properties, dict) else {}
    if not names:
        raise ValueError("properties have no name: what is it called on the page?")
    if any(len(name) > LONGEST_NAME for name in names.values()):
        raise ValueError(f"name is longer than {LONGEST_NAME} characters")
    return names


def _found(properties: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in properties.items():
        word, _, language = key.partition("_")
        if word == "name" and isinstance(value, str) and value.strip():
            yield language, " ".join(value.split())
