"""Instants come back as they went in, and naive ones do not go in."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from sites.models import Site
from tests.town import make_site


def test_an_instant_of_any_zone_comes_back_in_utc(db: Session) -> None:
    local = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris"))
    db.add(make_site("battant", state_since=local))
    db.flush()
    db.expire_all()
    stored = db.query(Site).one().state_since
    assert stored == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert stored.tzinfo is UTC


def test_a_naive_instant_is_refused(db: Session) -> None:
    db.add(make_site("battant", state_since=datetime(2026, 10, 25, 2, 30)))  # noqa: DTZ001
    with pytest.raises((ValueError, StatementError), match="no time zone"):
        db.flush()
