"""Files to import, and what they are refused for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sites.errors import RefusedImport
from sites.import_export import GATEWAYS, NETWORKS, Records, export_records, site_records
from tests.imports import import_records

SITES = site_records("Europe/Paris")

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
