"""What was served and viewed: once each by its nonce, whatever is sent twice, comes late or is lost."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads.ledger import served
from ads.ledger.models import ServedImpression
from ads.models import CreativeDay
from db.engine import SessionMaker
from tests.ads.campaigns import accept, run_campaign
from tests.clock import NOON
from tests.town import Town, build_town

LATER = NOON + timedelta(hours=3)


def shown(town: Town, creative: int, number: int, **known: bool) -> served.Served:
    return served.of(town.station, f"n{number}", creative, shown_at=NOON, **known)


def counts(db: Session) -> tuple[int, ...]:
    """Served, viewed, accepted, blocked, reported."""
    names = ("served", "viewed", "accepted", "blocked", "reported")
    row = db.execute(select(*(func.sum(getattr(CreativeDay, name)) for name in names))).one()
    return tuple(int(one or 0) for one in row)


def test_what_is_known_of_a_message_is_put_together_and_counted_once(db: Session) -> None:
    town = build_town(db)
    creative = run_campaign(db).creatives[0].id
    served.write(db, [shown(town, creative, 1, reported=True), shown(town, creative, 2)], now=NOON)
    served.write(db, [shown(town, creative, 1), shown(town, creative, 1, viewed=True)], now=NOON)
    served.write(db, [shown(town, creative, 3, blocked=True)], now=NOON)
    assert served.add_up(db, now=NOON + served.ADDED_UP_AFTER) == 0
    assert served.add_up(db, now=LATER) == 3
    assert served.add_up(db, now=LATER) == 0
    assert counts(db) == (3, 1, 0, 1, 1)


def test_what_is_accepted_is_served_and_viewed_whether_or_not_that_was_written(db: Session) -> None:
    town = build_town(db)
    creative = run_campaign(db, total_cap=1).creatives[0].id
    # Written before it is accepted, after it, and never: the process was killed.
    served.write(db, [shown(town, creative, 1)], now=NOON)
    for number in (1, 2, 3):
        accept(db, town.station, creative, number)
    served.write(db, [shown(town, creative, 2, blocked=True)], now=NOON)
    assert counts(db) == (3, 3, 1, 0, 0)
    served.add_up(db, now=LATER)
    assert counts(db) == (3, 3, 1, 1, 0)


def test_what_is_written_too_late_is_left_out(db: Session) -> None:
    town = build_town(db)
    creative = run_campaign(db).creatives[0].id
    served.write(db, [shown(town, creative, 1)], now=NOON)
    served.add_up(db, now=LATER)
    served.write(db, [shown(town, creative, 1, viewed=True)], now=LATER)
    assert db.scalar(select(func.count(ServedImpression.nonce))) == 0


def test_several_that_add_up_at_once_add_each_row_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        creative = run_campaign(db).creatives[0].id
        served.write(db, [shown(town, creative, number) for number in range(300)], now=NOON)
    barrier = threading.Barrier(4)

    def add_up() -> None:
        barrier.wait()
        with make_session.begin() as db:
            served.add_up(db, now=LATER)

    threads = [threading.Thread(target=add_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert counts(db) == (300, 0, 0, 0, 0)
