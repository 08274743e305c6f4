"""Nothing is kept that is not owed, and whatever is kept about somebody leaves in time."""

from __future__ import annotations

import re

import portal.app  # noqa: F401  It brings every table.
from db.base import Base
from portal.retention import SHELVES
from sessions.models import AccessSession
from sessions.retention.purge_policies import SessionPurge

# Where somebody went, in the words that such a column would have.
ELSEWHERE = re.compile(r"url|uri|dns|sni|domain|destination|referr?er|user_agent|(?<!g)host|visited|content")
OURS = {
    # The gateway's own redirector, the digest of an audit entry, what a staff browser's session
    # holds, and the picture of a town.
    ("gateways", "redirector_url"),
    ("trail_links", "content_digest"),
    ("staff_sessions", "content"),
    # Where a receipt printer of the town's own is.
    ("printers", "host"),
    ("image_files", "content"),
    # Where a managed device may go, not where it went.
    ("leases", "destinations"),
    ("fixed_devices", "destinations"),
}
# By these a row is about somebody's device or stay.
ABOUT = {"mac", "address", "subject", "access_id", "switched_by"}
# Rows about somebody that are on no shelf, and why.
OFF_THE_SHELVES = {
    "sites": "a hotspot has a street address",
    "open_breaks": "forgotten by the sweep after an hour",
    "sightings": "forgotten by the sweep after a day",
    "client_landings": "forgotten by the sweep after a day",
    "fixed_devices": "a record of the register, with a contract, of no person",
    "nas_sessions": "forgotten by the sweep two days after their end",
    "troubles": "of gateways and duties; forgotten a year after it is over",
    "staff": "accounts of who works here: a subject is what the town's directory calls one",
    "alert_recipients": "of staff, and gone when it is taken off the list",
    "tablet_classes": "who pressed last: forgotten by the sweep a day after the end of it",
    "tablets": "of schools, lent to nobody by name; gone with the inventory",
    "legal_holds": "the order itself, kept with the register",
}


def shelved() -> set[str]:
    tables = {AccessSession.__tablename__}
    for shelf in SHELVES:
        models = [one.model for one in shelf.dependents] if isinstance(shelf, SessionPurge) else [shelf.model]
        tables |= {model.__tablename__ for model in models}
    return tables


def test_no_column_says_where_anybody_went() -> None:
    found = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if ELSEWHERE.search(column.name)
    }
    assert found == OURS


def test_every_table_about_somebody_is_on_a_shelf_of_the_purge() -> None:
    about = {
        table.name
        for table in Base.metadata.sorted_tables
        if ABOUT & {column.name for column in table.columns}
    }
    assert about - shelved() == set(OFF_THE_SHELVES)
