"""The records of OpenDataSoft, the portal of most French open data, as GeoJSON would have them.

Three forms are in use: a list of ``{"fields": …, "geometry": …}`` (API 1, where ``geo_point_2d`` is [latitude,
longitude]), the same under ``records``, and flat records in a list or under ``results`` (API 2, where
``geo_point_2d`` is ``{"lon": …, "lat": …}``).
"""

from __future__ import annotations

from typing import Any

# Where a record says its place. The shape is the point again, or an area.
_POINT, _SHAPE = "geo_point_2d", "geo_shape"


def features_of(document: Any) -> Any:
    """A FeatureCollection made of records; anything else as it is."""
    records = document
    if isinstance(document, dict) and "type" not in document:
        records = document.get("records", document.get("results"))
    if (
        not isinstance(records, list)
        or not records
        or not all(isinstance(record, dict) for record in records)
    ):
        return document
    return {"type": "FeatureCollection", "features": [_feature(record) for record in records]}


def _feature(record: dict[str, Any]) -> dict[str, Any]:
    fields = record.get("fields") if isinstance(record.get("fields"), dict) else record
    assert isinstance(fields, dict)
    properties = {name: value for name, value in fields.items() if name not in (_POINT, _SHAPE)}
    geometry = record.get("geometry") if fields is not record else None
    return {"type": "Feature", "properties": properties, "geometry": geometry or _geometry(fields)}


def _geometry(fields: dict[str, Any]) -> dict[str, Any] | None:
    point = fields.get(_POINT)
    if isinstance(point, dict):
        return {"type": "Point", "coordinates": [point.get("lon"), point.get("lat")]}
    if isinstance(point, list) and len(point) == 2:
        return {"type": "Point", "coordinates": [point[1], point[0]]}
    shape = fields.get(_SHAPE)
    inner = shape.get("geometry") if isinstance(shape, dict) else None
    return inner if isinstance(inner, dict) else None
