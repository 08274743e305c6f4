"""The purge of the whole house: the shelves of every room, one small transaction after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from ads import retention as ads
from auth.audit.actor import Actor
from db.disk_reserve import is_full, reserve_of
from db.engine import checkpoint_wal
from portal.services import Services
from sessions.retention import purge, registry
from sessions.retention.purge import Phase, Stepped

SHELVES = (ads.IMPRESSIONS, ads.CHOICES, ads.MEDIA, *registry.shelves(ads.OF_SESSIONS))
# A round of the sweep has other things to do.
STEPS_A_ROUND = 20
SMALLEST_STEP = 20


def purging(
    service: Services, *, at_once: bool = False, confirmed_by: Actor | None = None
) -> Iterator[Stepped]:
    """Purge, step by step, each committed when it is given; the last one says how it ended.

    A full disk is met with the reserve, and smaller steps. Raises `sqlalchemy.exc.DBAPIError` where that does not help.
    """
    most = purge.STEP
    reserve = reserve_of(service.settings.database_url)
    while True:
        try:
            with service.make_session.begin() as db:
                stepped = purge.step(
                    db,
                    SHELVES,
                    now=service.clock(),
                    most=most,
                    at_once=at_once,
                    confirmed_by=confirmed_by,
                )
        except DBAPIError as error:
            if not is_full(error) or reserve is None or not reserve.give_up():
                raise
            most = SMALLEST_STEP
            continue
        yield stepped
        if stepped.phase.is_last:
            break
    if stepped.phase is Phase.FINISHED:
        checkpoint_wal(service.engine)
    if reserve is not None and stepped.phase is not Phase.RESTED:
        reserve.take()


def keep(service: Services) -> Stepped:
    """A part of the purge, for one round of the sweep; the next one goes on."""
    steps = list(itertools.islice(purging(service), STEPS_A_ROUND))
    return steps[-1]
