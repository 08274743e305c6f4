"""The last exchanges with a gateway."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from sessions.gateway_health import dialogues
from sessions.sweep import sweep
from tests.clock import NOON
from tests.town import build_town


def test_the_newest_are_kept_of_each_gateway_and_none_for_longer_than_a_week(db: Session) -> None:
    town = build_town(db)
    dialogues.note(db, gateway_id=town.battant.id, said="hello", answered="x" * 900, now=NOON)
    for number in range(dialogues.MOST + 2):
        dialogues.note(db, gateway_id=town.station.id, said=f"ask {number}", answered="yes", now=NOON)
    kept = [one.said for one in dialogues.recent(db, gateway_id=town.station.id)]
    assert kept == [f"ask {number}" for number in range(dialogues.MOST + 1, 1, -1)]
    assert [len(one.answered) for one in dialogues.recent(db, gateway_id=town.battant.id)] == [500]
    sweep(db, now=NOON + timedelta(days=7, seconds=1))
    assert dialogues.recent(db, gateway_id=town.station.id) == []
