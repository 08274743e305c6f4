"""Every kind of record that pages, files, the API and the command line change. A new kind is one entry here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.orm import Session

from auth.records import RecordKind
from portal.records.devices import DEVICE_PAGES
from portal.records.gateways import GATEWAY_PAGES
from portal.records.kinds import RecordPages
from portal.records.networks import NETWORK_PAGES
from portal.records.plans import PLAN_PAGES
from portal.records.printers import PRINTER_PAGES
from portal.records.schools import CLASS_PAGES, LINE_PAGES, TABLET_PAGES
from portal.records.sites import SITE_PAGES

# By name, in the order in which an installation is set up.
KINDS: dict[str, RecordPages] = {
    one.slug: one
    for one in (
        *(NETWORK_PAGES, SITE_PAGES, GATEWAY_PAGES, PLAN_PAGES, DEVICE_PAGES, PRINTER_PAGES),
        *(LINE_PAGES, CLASS_PAGES, TABLET_PAGES),
    )
}


def kind_here(pages: RecordPages) -> RecordKind:
    """The kind with what this installation's settings say of new records."""
    return pages.kind if pages.here is None else replace(pages.kind, records=pages.here())


def cautions_of(db: Session, pages: RecordPages, keys: Collection[str]) -> list[tuple[str, str]]:
    """What is to be known of these records as they are, each with its key."""
    current = pages.kind.records.current(db)
    return [(key, text) for key in keys if key in current for text in pages.cautions(db, current[key])]
