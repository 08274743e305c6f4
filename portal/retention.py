"""The purge of the whole house: the shelves of every room, one small transaction after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ads import retention as ads
from auth.audit import log
from db.disk_reserve import is_full, reserve_of
from db.engine import checkpoint_wal
from portal.services import Services
from sessions.retention import periods, purge, registry
from sessions.retention.models import RetentionRule, TermChange
from sessions.retention.periods import Term
from sessions.retention.purge import Phase, Stepped

SHELVES = (ads.IMPRESSIONS, *registry.shelves(ads.OF_SESSIONS))
# A round of the sweep has other things to do.
STEPS_A_ROUND = 20
SMALLEST_STEP = 20


def purging(
    service: Services, *, at_once: bool = False, confirmed_by: str | None = None
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


def change_term(db: Session, rule_id: int, *, term: Term, basis: str, by: str, now: datetime) -> bool:
    """Change a term, or ask for a shorter one, with its line in the trail; whether it holds already.

    Raises what `terms.change` raises.
    """
    before = db.get(RetentionRule, rule_id)
    changed = periods.change(db, rule_id, term=term, basis=basis, by=by, now=now)
    assert before is not None
    holds = not isinstance(changed, TermChange)
    fresh = changed if isinstance(changed, TermChange) else changed[1]
    log.record(
        db,
        actor=by,
        action=log.TERM_CHANGED if holds else log.TERM_ASKED,
        object=f"retention:{fresh.data_class}",
        detail=periods.told(fresh, before=before),
        now=now,
    )
    return holds


def record_term(db: Session, action: str, change: TermChange, *, by: str, now: datetime) -> None:
    """The line in the trail about a shorter term that was confirmed or withdrawn."""
    log.record(
        db,
        actor=by,
        action=action,
        object=f"retention:{change.data_class}",
        detail={"now": f"{change.term} {change.unit}", "asked by": change.asked_by},
        now=now,
    )


def keep(service: Services) -> Stepped:
    """A part of the purge, for one round of the sweep; the next one goes on."""
    steps = list(itertools.islice(purging(service), STEPS_A_ROUND))
    return steps[-1]
