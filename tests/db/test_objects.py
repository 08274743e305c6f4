"""What is made from a row is what SQLAlchemy would have loaded, its session closed since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import DetachedInstanceError

from sessions import clients
from sessions.models import AccessSession
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import build_town


def test_an_object_made_from_its_row_is_the_one_that_would_be_loaded(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    online = clients.seen_online(db, gateway=town.station, mac=access.mac, now=NOON)
    assert online is not None and online.confirmed_until is None
    seen = online.access
    assert seen is not access
    loaded = db.get_one(AccessSession, access.id, populate_existing=True)
    names = inspect(AccessSession).column_attrs.keys()
    assert [getattr(seen, name) for name in names] == [getattr(loaded, name) for name in names]
    assert seen.is_open(NOON)
    assert inspect(seen).detached and not inspect(seen).modified
    with pytest.raises(DetachedInstanceError):
        _ = seen.network
    assert db.merge(seen, load=False) is loaded
    over = access.until + timedelta(seconds=1)
    assert clients.seen_online(db, gateway=town.station, mac=access.mac, now=over) is None
