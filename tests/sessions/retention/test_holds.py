"""Who may place, confirm and lift a hold, and how long it acts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from sessions.retention import holds
from sessions.retention.errors import BadHold, OverHold, SameHolder
from sessions.retention.holds import HoldScope
from sessions.retention.models import LegalHold
from tests.actors import person
from tests.clock import NOON
from tests.town import BO_PHONE, build_town

DAY = timedelta(days=1)
WEEK = 7 * DAY
ENDS = NOON + 30 * DAY


def place(db: Session, scope: HoldScope | None = None, **fields: Any) -> LegalHold:
    values = {
        "reference": "Réq. 12",
        "reason": "ordonnée",
        "expires_at": ENDS,
        "actor": person("pia"),
        "now": NOON,
    }
    return holds.place(db, scope or HoldScope(mac=BO_PHONE), **{**values, **fields})


def acts_at(db: Session, hold: LegalHold, at: datetime) -> bool:
    """Whether it acts, by the list that a purge reads and by the word on its page, which must agree."""
    [listed, answer] = [hold in holds.active(db, now=at), holds.acts(hold, now=at)]
    assert listed == answer
    return listed


def test_it_acts_at_once_and_lapses_after_a_week_that_nobody_confirms(db: Session) -> None:
    hold = place(db)
    assert acts_at(db, hold, NOON)
    assert acts_at(db, hold, NOON + WEEK - timedelta(seconds=1))
    assert not acts_at(db, hold, NOON + WEEK)


def test_one_that_is_confirmed_acts_to_its_end_and_not_after(db: Session) -> None:
    hold = place(db)
    holds.confirm(db, hold, actor=person("quentin"), now=NOON + DAY)
    assert acts_at(db, hold, ENDS - timedelta(seconds=1))
    assert not acts_at(db, hold, ENDS)


def test_nobody_confirms_an_own_hold_nor_one_twice(db: Session) -> None:
    hold = place(db)
    with pytest.raises(SameHolder):
        holds.confirm(db, hold, actor=person("pia"), now=NOON)
    assert hold.confirmed_at is None
    holds.confirm(db, hold, actor=person("quentin"), now=NOON)
    with pytest.raises(OverHold):
        holds.confirm(db, hold, actor=person("rose"), now=NOON + DAY)
    assert (hold.confirmed_by, hold.confirmed_at) == ("quentin", NOON)


def test_one_that_has_lapsed_is_not_confirmed_any_more(db: Session) -> None:
    hold = place(db)
    with pytest.raises(OverHold):
        holds.confirm(db, hold, actor=person("quentin"), now=NOON + WEEK)


def confirmed(db: Session) -> LegalHold:
    hold = place(db)
    holds.confirm(db, hold, actor=person("quentin"), now=NOON)
    return hold


def test_one_that_nobody_has_confirmed_is_lifted_by_one(db: Session) -> None:
    hold = place(db)
    assert holds.lift(db, hold, actor=person("pia"), now=NOON)
    assert not acts_at(db, hold, NOON)
    with pytest.raises(OverHold):
        holds.lift(db, hold, actor=person("pia"), now=NOON)


def test_one_that_is_confirmed_is_lifted_by_two(db: Session) -> None:
    hold = confirmed(db)
    assert not holds.lift(db, hold, actor=person("pia"), now=NOON)
    with pytest.raises(SameHolder):
        holds.lift(db, hold, actor=person("pia"), now=NOON)
    assert acts_at(db, hold, NOON)
    assert holds.lift(db, hold, actor=person("quentin"), now=NOON)
    assert not acts_at(db, hold, NOON)


@pytest.mark.parametrize("since", ["asked by the same person", "confirmed"])
def test_what_changed_since_the_hold_was_read_counts(db: Session, since: str) -> None:
    """Of two pages that were open at once, the second is told: the row decides, not what was read before."""
    hold = place(db)
    stale = update(LegalHold).where(LegalHold.id == hold.id).execution_options(synchronize_session=False)
    if since == "confirmed":
        db.execute(stale.values(confirmed_at=NOON, confirmed_by="quentin"))
    else:
        holds.confirm(db, hold, actor=person("quentin"), now=NOON)
        assert not holds.lift(db, hold, actor=person("quentin"), now=NOON)
        db.execute(stale.values(lift_asked_by="pia"))
    with pytest.raises(OverHold):
        holds.lift(db, hold, actor=person("pia"), now=NOON)
    db.expire(hold)
    assert acts_at(db, hold, NOON)


def test_a_lifting_that_was_refused_is_asked_for_anew(db: Session) -> None:
    hold = confirmed(db)
    with pytest.raises(OverHold):
        holds.go_on(db, hold, actor=person("quentin"), now=NOON)
    holds.lift(db, hold, actor=person("pia"), now=NOON)
    holds.go_on(db, hold, actor=person("quentin"), now=NOON)
    assert not holds.lift(db, hold, actor=person("quentin"), now=NOON)
    assert acts_at(db, hold, NOON)


def test_nothing_is_done_to_one_that_is_over(db: Session) -> None:
    hold = confirmed(db)
    holds.lift(db, hold, actor=person("pia"), now=NOON)
    with pytest.raises(OverHold):
        holds.lift(db, hold, actor=person("quentin"), now=ENDS)
    with pytest.raises(OverHold):
        holds.go_on(db, hold, actor=person("quentin"), now=ENDS)


@pytest.mark.parametrize(
    ("scope", "fields", "field"),
    [
        (HoldScope(), {}, "scope"),
        (HoldScope(mac="02:00"), {}, "mac"),
        (HoldScope(since=NOON, until=NOON), {}, "until"),
        (None, {"reference": " "}, "reference"),
        (None, {"reference": "x" * 121}, "reference"),
        (None, {"reason": "\n"}, "reason"),
        (None, {"reason": "x" * 401}, "reason"),
        (None, {"expires_at": NOON}, "expires_at"),
        (None, {"expires_at": NOON + holds.LONGEST + timedelta(seconds=1)}, "expires_at"),
    ],
    ids=str,
)
def test_what_holds_nothing_or_for_ever_is_not_placed(
    db: Session, scope: HoldScope | None, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadHold) as error:
        place(db, scope, **fields)
    assert error.value.field == field


def test_who_answers_for_one_network_sees_its_holds_alone(db: Session) -> None:
    town = build_town(db)
    ours = place(db, network_id=town.library.id)
    whole, theirs = place(db), place(db, network_id=town.free.id)
    assert holds.everything(db) == [theirs, whole, ours]
    assert holds.everything(db, networks=[town.library.slug]) == [ours]
    assert holds.find(db, ours.id, networks=[town.library.slug]) is ours
    assert holds.find(db, theirs.id, networks=[town.library.slug]) is None
    assert holds.find(db, whole.id, networks=[town.library.slug]) is None
    assert holds.find(db, theirs.id) is theirs
