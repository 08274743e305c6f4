"""A town with a past, and the purge of the whole house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from db.engine import SessionMaker
from portal.retention import SHELVES
from sessions.retention import clock_check, periods, purge
from sessions.retention.models import PurgeCount, PurgeRun
from sessions.retention.purge import Phase, Stepped
from tests.clock import NOON
from tests.sessions.retention.past import Past
from tests.town import build_town

Purge = Callable[..., Stepped]


@pytest.fixture
def past(make_session: SessionMaker) -> Iterator[Past]:
    """Commit what was written with `past.db.commit()`."""
    with make_session() as db:
        periods.seed(db, now=NOON)
        clock_check.look(db, now=NOON)
        found = Past(db, build_town(db))
        db.commit()
        yield found


@pytest.fixture
def run(make_session: SessionMaker) -> Purge:
    """Run a purge to its end, in steps of two rows."""

    def purge_all(now: datetime = NOON, **options: object) -> Stepped:
        while True:
            with make_session.begin() as db:
                stepped = purge.step(db, SHELVES, now=now, most=2, at_once=True, **options)  # type: ignore[arg-type]
            if stepped.phase.is_last:
                assert stepped.phase is not Phase.RESTED
                return stepped

    return purge_all


def books(make_session: SessionMaker, run: PurgeRun) -> dict[str, tuple[int, int, int, int | None]]:
    """Of each table with anything due: due, deleted, held, left."""
    with make_session() as db:
        found: list[PurgeCount] = purge.counts(db, run)
        return {one.table: (one.due, one.deleted, one.held, one.left) for one in found if one.due}
