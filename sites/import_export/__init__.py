"""Import and export: networks, sites and gateway records, as CSV and GeoJSON."""

from __future__ import annotations

from sites.import_export.gateways import GATEWAYS
from sites.import_export.networks import NETWORKS
from sites.import_export.records import FileFormat, ImportResult, Records, export_records, import_records
from sites.import_export.sites import SITES, site_records

__all__ = [
    "GATEWAYS",
    "NETWORKS",
    "SITES",
    "FileFormat",
    "ImportResult",
    "Records",
    "export_records",
    "import_records",
    "site_records",
]
