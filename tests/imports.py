"""Imports as somebody of these tests makes them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from sites import import_export
from sites.import_export import ImportResult, Records

BY = "tester"
AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def import_records(db: Session, records: Records, content: bytes, *, only_new: bool = False) -> ImportResult:
    """Take a file in, signed."""
    return import_export.import_records(db, records, content, by=BY, now=AT, only_new=only_new)
