"""GeoJSON (RFC 7946): a FeatureCollection of points, longitude first, in WGS 84; and the records of OpenDataSoft."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from gateways.sentences import Sentence, reason_of
from sites.errors import ImportFault, RefusedImport
from sites.import_export.records_json import features_of
from sites.import_export.rows import FILE, Cell, ParsedRows, Row, as_text, decode, line

# WGS 84 as the format's old form (GJ2008) names it; some tools still do. QGIS writes EPSG:4326, and means the same
# with the longitude first.
_WGS84 = re.compile(r"urn:ogc:def:crs:OGC:[0-9.]*:CRS84|(?:urn:ogc:def:crs:)?EPSG:[0-9.:]*4326")

# What our public list says of an instant, or in another form than a record has it: read back, they would change sites.
_OF_THE_PUBLIC_LIST = frozenset(
    {"open", "ads", "networks", "state", "state_since", "state_until", "slowed_since"}
)


def write_features(records: Iterable[Mapping[str, Cell]]) -> bytes:
    """Write a FeatureCollection; a record without coordinates has no geometry (section 3.2)."""
    features = []
    for record in records:
        properties = {name: cell for name, cell in record.items() if name not in ("longitude", "latitude")}
        features.append({"type": "Feature", "geometry": _point(record), "properties": properties})
    collection = {"type": "FeatureCollection", "features": features}
    return (json.dumps(collection, ensure_ascii=False, indent=1) + "\n").encode()


def _point(record: Mapping[str, Cell]) -> dict[str, Any] | None:
    if "longitude" not in record:
        return None
    return {"type": "Point", "coordinates": [record["longitude"], record["latitude"]]}


def read_features(text: str) -> ParsedRows:
    """Read the features as rows; a point gives the columns longitude and latitude.

    Of our own public list only what it has from the records is read.
    """
    collection = _checked(features_of(_load(text)))
    left_out = _OF_THE_PUBLIC_LIST if {"generated_at", "columns"} <= collection.keys() else frozenset()
    rows: list[Row] = []
    faults: list[ImportFault] = []
    for number, feature in enumerate(collection["features"], start=1):
        where = Sentence("feature %(number)s", number=number)
        try:
            rows.append(Row(where, _cells(feature, left_out)))
        except ValueError as error:
            faults.append(ImportFault(where, None, reason_of(error)))
    return ParsedRows(rows, faults)


def load_collection(content: bytes) -> dict[str, Any]:
    """A FeatureCollection with its list of features, each still to be judged. Raises RefusedImport."""
    return _checked(_load(decode(content)))


def _checked(collection: Any) -> dict[str, Any]:
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise _refusal(FILE, Sentence("is JSON, but neither a GeoJSON FeatureCollection nor records"))
    if collection.get("crs") is not None and not _is_wgs84(collection["crs"]):
        raise _refusal(
            FILE, Sentence("names a coordinate system: GeoJSON is in WGS 84 only (RFC 7946, section 4)")
        )
    if not isinstance(collection.get("features"), list):
        raise _refusal(FILE, Sentence("has no list of features"))
    return collection


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _refusal(line(error.lineno), Sentence("is not JSON from here on")) from error
    except (ValueError, RecursionError) as error:
        raise _refusal(FILE, Sentence("is not JSON that can be read")) from error


def _refuse_constant(name: str) -> NoReturn:
    raise _refusal(FILE, Sentence("is not JSON that can be read: %(name)s is not a number", name=name))


def _is_wgs84(crs: object) -> bool:
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and _WGS84.fullmatch(name) is not None


def _cells(feature: object, left_out: frozenset[str]) -> dict[str, str]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise ValueError(Sentence("is not a Feature"))
    # Null is a value that this member may have (section 3.2).
    properties = (
        {} if "properties" in feature and feature["properties"] is None else feature.get("properties")
    )
    if not isinstance(properties, dict):
        raise ValueError(Sentence("has no properties"))
    cells = {}
    for name, cell in properties.items():
        if name in left_out:
            continue
        try:
            cells[name] = as_text(cell)
        except ValueError as error:
            raise ValueError(
                Sentence("property '%(name)s' %(fault)s", name=name[:40], fault=reason_of(error))
            ) from error
    identifier = feature.get("id")
    if isinstance(identifier, str):
        # Where our own open data has the slug.
        cells.setdefault("slug", identifier)
    return cells | _coordinates(feature.get("geometry"))


def _coordinates(geometry: object) -> dict[str, str]:
    if geometry is None:
        return {}
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Point", "MultiPoint"):
        raise ValueError(Sentence("its geometry is not a Point"))
    coordinates = geometry.get("coordinates")
    if geometry["type"] == "MultiPoint":
        if not isinstance(coordinates, list) or len(coordinates) != 1:
            raise ValueError(
                Sentence("its geometry is not one Point: a site has one place, so make several sites of it")
            )
        coordinates = coordinates[0]
    if not isinstance(coordinates, list):
        raise ValueError(Sentence("its geometry is not a Point"))
    numbers = [part for part in coordinates if isinstance(part, int | float) and not isinstance(part, bool)]
    if len(numbers) != len(coordinates) or not 2 <= len(numbers) <= 3:
        raise ValueError(Sentence("its coordinates are not [longitude, latitude]"))
    return {"longitude": as_text(numbers[0]), "latitude": as_text(numbers[1])}


def _refusal(where: str, reason: Sentence) -> RefusedImport:
    return RefusedImport([ImportFault(where, None, reason)])
