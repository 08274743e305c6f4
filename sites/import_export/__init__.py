"""Import and export: networks, sites, gateway records and the inventory of schools, as CSV and GeoJSON."""

from __future__ import annotations

from sites.import_export.gateways import GATEWAYS
from sites.import_export.networks import NETWORKS
from sites.import_export.records import FileFormat, ImportResult, Records, export_records, import_records
from sites.import_export.schools import SCHOOL_LINES, TABLET_CLASSES, TABLETS
from sites.import_export.sites import SITES, site_records

__all__ = [
    "GATEWAYS",
    "NETWORKS",
    "SCHOOL_LINES",
    "SITES",
    "TABLETS",
    "TABLET_CLASSES",
    "FileFormat",
    "ImportResult",
    "Records",
    "export_records",
    "import_records",
    "site_records",
]
