"""Staff pages: what an installation is made of, each kind of record listed, changed and imported."""

from __future__ import annotations

from portal.records.registry import KINDS
from portal.staff.configuration import (  # noqa: F401
    devices,
    files,
    listing,
    networks,
    pictures,
    plans,
    printers,
    record,
    sites,
)
from portal.staff.configuration.routes import serve

for _pages in KINDS.values():
    serve(_pages, listing.VIEWS)
    serve(_pages, files.VIEWS)
    serve(_pages, record.VIEWS)
    if _pages.adds:
        serve(_pages, record.ADDING)
