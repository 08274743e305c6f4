"""Networks, sites and gateway records in and out, as CSV and GeoJSON."""

from __future__ import annotations

from sites.exchange.doors import GATEWAYS
from sites.exchange.networks import NETWORKS
from sites.exchange.places import SITES
from sites.exchange.records import Form, ImportResult, Records, export_records, import_records

__all__ = [
    "GATEWAYS",
    "NETWORKS",
    "SITES",
    "Form",
    "ImportResult",
    "Records",
    "export_records",
    "import_records",
]
