"""The table of terms: counted by the calendar, changed without forgetting, seeded with the law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions.data_classes import DataClass
from sessions.retention import periods
from sessions.retention.errors import BelowLaw, OpenChange, OverChange, SamePerson, StaleRule, UnreadableTerm
from sessions.retention.law import FLOORS, LAW, Term
from sessions.retention.models import RetentionRule, TermChange, TermUnit
from tests.actors import person
from tests.clock import NOON

YEAR = Term(1, TermUnit.YEARS)


@pytest.mark.parametrize(
    ("amount", "unit", "now", "before"),
    [
        (1, TermUnit.YEARS, datetime(2026, 11, 26, 12, tzinfo=UTC), datetime(2025, 11, 26, 12, tzinfo=UTC)),
        (1, TermUnit.YEARS, datetime(2028, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)),
        (1, TermUnit.YEARS, datetime(2028, 2, 29, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
        (3, TermUnit.MONTHS, datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (3, TermUnit.MONTHS, datetime(2026, 2, 10, tzinfo=UTC), datetime(2025, 11, 10, tzinfo=UTC)),
        (12, TermUnit.MONTHS, datetime(2026, 12, 31, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)),
        (10, TermUnit.DAYS, datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 2, 23, tzinfo=UTC)),
    ],
)
def test_a_term_is_counted_by_the_calendar(
    amount: int, unit: TermUnit, now: datetime, before: datetime
) -> None:
    assert Term(amount, unit).before(now) == before


def test_the_table_begins_with_what_the_law_says_and_is_seeded_once(db: Session) -> None:
    assert periods.seed(db, now=NOON) == len(DataClass)
    db.flush()
    assert periods.seed(db, now=NOON + timedelta(days=1)) == 0
    held = periods.in_force(db)
    assert held[DataClass.CONNECTION].term == YEAR
    assert held[DataClass.SECURITY].term == Term(3, TermUnit.MONTHS)
    assert "L34-1" in held[DataClass.CONNECTION].basis and "R10-14" in held[DataClass.SECURITY].basis


def test_without_a_line_the_law_holds(db: Session) -> None:
    assert periods.in_force(db) == dict(LAW)


def test_a_change_closes_the_old_line_and_keeps_it(db: Session) -> None:
    periods.seed(db, now=NOON)
    db.flush()
    rule = periods.current(db)[0]
    later = NOON + timedelta(days=10)
    periods.change(
        db, rule.id, term=Term(18, TermUnit.MONTHS), basis="Décret de 2027", actor=person("pia"), now=later
    )
    lines = db.scalars(
        select(RetentionRule).where(RetentionRule.data_class == rule.data_class).order_by(RetentionRule.id)
    ).all()
    assert [(one.term, one.valid_from, one.valid_to) for one in lines] == [
        (1, NOON, later),
        (18, later, None),
    ]
    assert periods.in_force(db)[rule.data_class].basis == "Décret de 2027"
    assert [one.id for one in periods.former(db)] == [rule.id]


def test_of_two_who_change_a_line_the_second_is_told(db: Session) -> None:
    periods.seed(db, now=NOON)
    db.flush()
    rule = periods.current(db)[0]
    periods.change(db, rule.id, term=YEAR, basis="first", actor=person("pia"), now=NOON)
    with pytest.raises(StaleRule):
        periods.change(db, rule.id, term=YEAR, basis="second", actor=person("pia"), now=NOON)


@pytest.mark.parametrize(
    ("term", "basis"),
    [
        (Term(0, TermUnit.DAYS), "x"),
        (Term(-1, TermUnit.YEARS), "x"),
        (Term(11, TermUnit.YEARS), "x"),
        (YEAR, "  "),
        (YEAR, "x" * 401),
    ],
)
def test_a_term_without_sense_or_basis_is_refused(db: Session, term: Term, basis: str) -> None:
    periods.seed(db, now=NOON)
    db.flush()
    with pytest.raises(UnreadableTerm):
        periods.change(db, periods.current(db)[0].id, term=term, basis=basis, actor=person("pia"), now=NOON)


def rule_of(db: Session, data_class: DataClass) -> RetentionRule:
    periods.seed(db, now=NOON)
    db.flush()
    return next(one for one in periods.current(db) if one.data_class is data_class)


@pytest.mark.parametrize("data_class", [one for one, floor in FLOORS.items() if floor.term])
@pytest.mark.parametrize(
    "term", [Term(1, TermUnit.DAYS), Term(365, TermUnit.DAYS), Term(11, TermUnit.MONTHS)]
)
def test_no_two_people_go_below_the_law(db: Session, data_class: DataClass, term: Term) -> None:
    rule = rule_of(db, data_class)
    with pytest.raises(BelowLaw):
        periods.change(db, rule.id, term=term, basis="less", actor=person("pia"), now=NOON)
    assert periods.waiting(db) == []


def test_every_class_has_a_floor_or_the_text_that_sets_none() -> None:
    assert set(FLOORS) == set(DataClass)
    for data_class, floor in FLOORS.items():
        assert floor.source
        assert floor.term is None or not LAW[data_class].term.is_shorter_than(floor.term)


def test_a_shorter_term_takes_a_second_person_and_may_be_withdrawn_by_any(db: Session) -> None:
    rule = rule_of(db, DataClass.SECURITY)
    month = Term(1, TermUnit.MONTHS)
    asked = periods.change(db, rule.id, term=month, basis="less", actor=person("pia"), now=NOON)
    assert isinstance(asked, TermChange)
    with pytest.raises(OpenChange):
        periods.change(db, rule.id, term=month, basis="less", actor=person("quentin"), now=NOON)
    with pytest.raises(SamePerson):
        periods.confirm(db, asked.id, actor=person("pia"), now=NOON)
    assert periods.carry_out(db, now=NOON + timedelta(days=900)) == []
    periods.confirm(db, asked.id, actor=person("quentin"), now=NOON)
    with pytest.raises(OverChange):
        periods.confirm(db, asked.id, actor=person("rita"), now=NOON)
    assert periods.carry_out(db, now=NOON + periods.DELAY - timedelta(seconds=1)) == []
    periods.withdraw(db, asked.id, actor=person("rita"), now=NOON + timedelta(days=1))
    assert periods.carry_out(db, now=NOON + periods.DELAY) == []
    assert periods.in_force(db)[DataClass.SECURITY].term == Term(3, TermUnit.MONTHS)


def test_a_longer_term_holds_at_once(db: Session) -> None:
    rule = rule_of(db, DataClass.TRAIL)
    periods.change(db, rule.id, term=Term(4, TermUnit.YEARS), basis="more", actor=person("pia"), now=NOON)
    assert periods.in_force(db)[DataClass.TRAIL].term == Term(4, TermUnit.YEARS)
