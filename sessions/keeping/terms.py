"""The table of terms: each class of data has its basis in law, its term, and the event that starts it.

A change never overwrites: the old line is closed and a new one begins, so that what held on any day can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sessions.classes import DataClass
from sessions.keeping.models import RetentionRule, StartEvent, TermUnit

LONGEST_BASIS = 400
MOST = {TermUnit.DAYS: 3660, TermUnit.MONTHS: 120, TermUnit.YEARS: 10}


class StaleRule(Exception):
    """Somebody else changed this line in between."""


class UnreadableTerm(Exception):
    """The term is no whole number between one day and ten years, or its basis is not said."""


@dataclass(frozen=True, slots=True)
class Term:
    """A length by the calendar, as laws count it: a year is a year, leap day or not."""

    amount: int
    unit: TermUnit

    def before(self, now: datetime) -> datetime:
        """What happened before this instant is past its term. Of a day that its month lacks, the last one is taken."""
        if self.unit is TermUnit.DAYS:
            return now - timedelta(days=self.amount)
        months = self.amount * (12 if self.unit is TermUnit.YEARS else 1)
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        first = now.replace(year=year, month=month + 1, day=1)
        next_month = (first + timedelta(days=31)).replace(day=1)
        return first.replace(day=min(now.day, (next_month - timedelta(days=1)).day))


@dataclass(frozen=True, slots=True)
class Kept:
    """What holds for one class: the term, its basis, and the event it is counted from."""

    term: Term
    starts_at: StartEvent
    basis: str


# What French law says today (see docs/privacy.md for what the data protection officer is to confirm).
LAW: Mapping[DataClass, Kept] = {
    DataClass.CONNECTION: Kept(
        Term(1, TermUnit.YEARS),
        StartEvent.CONNECTION_END,
        "CPCE art. L34-1 II bis 3°, R10-13 IV ; décret n° 2021-1362, art. 5",
    ),
    DataClass.TRAFFIC: Kept(
        Term(1, TermUnit.YEARS),
        StartEvent.CONNECTION_END,
        "CPCE art. L34-1 III, R10-13 V ; injonction annuelle (décret n° 2025-980)",
    ),
    DataClass.ACCOUNT: Kept(
        Term(1, TermUnit.YEARS), StartEvent.ACCOUNT_END, "CPCE art. L34-1 II bis 2°, R10-13 II"
    ),
    DataClass.SECURITY: Kept(Term(3, TermUnit.MONTHS), StartEvent.EVENT, "CPCE art. R10-14 IV"),
    DataClass.ACCEPTANCE: Kept(
        Term(1, TermUnit.YEARS), StartEvent.EVENT, "RGPD art. 5.1.e et 6.1.e : décompte des messages acceptés"
    ),
    DataClass.TRAIL: Kept(
        Term(3, TermUnit.YEARS),
        StartEvent.EVENT,
        "RGPD art. 5.2 et 32 ; CNIL, délibération n° 2021-122 (journalisation)",
    ),
}


def seed(db: Session, *, now: datetime) -> int:
    """Write down what the law says for every class that has no line yet; how many."""
    there = set(db.scalars(select(RetentionRule.data_class)))
    for data_class, kept in LAW.items():
        if data_class not in there:
            db.add(_rule(data_class, kept, now))
    return len(LAW.keys() - there)


def in_force(db: Session) -> dict[DataClass, Kept]:
    """What holds now, for every class: the table's line, or the law's where there is none."""
    return dict(LAW) | {rule.data_class: _kept(rule) for rule in current(db)}


def current(db: Session) -> list[RetentionRule]:
    """The lines that hold now, in the order of the classes."""
    found = db.scalars(select(RetentionRule).where(RetentionRule.valid_to.is_(None)))
    return sorted(found, key=lambda rule: list(DataClass).index(rule.data_class))


def former(db: Session) -> list[RetentionRule]:
    """The lines that held before, the last one first."""
    return list(
        db.scalars(
            select(RetentionRule)
            .where(RetentionRule.valid_to.is_not(None))
            .order_by(RetentionRule.valid_to.desc(), RetentionRule.id.desc())
        )
    )


def change(
    db: Session, rule_id: int, *, term: Term, basis: str, now: datetime
) -> tuple[RetentionRule, RetentionRule]:
    """Close one line and begin the next; both. Raises `StaleRule`, `UnreadableTerm`."""
    basis = basis.strip()
    if not 1 <= term.amount <= MOST[term.unit] or not basis or len(basis) > LONGEST_BASIS:
        raise UnreadableTerm
    closed = db.scalar(
        update(RetentionRule)
        .where(RetentionRule.id == rule_id, RetentionRule.valid_to.is_(None))
        .values(valid_to=now)
        .returning(RetentionRule)
        .execution_options(populate_existing=True)
    )
    if closed is None:
        raise StaleRule
    fresh = _rule(closed.data_class, Kept(term, closed.starts_at, basis), now)
    db.add(fresh)
    db.flush()
    return closed, fresh


def _rule(data_class: DataClass, kept: Kept, now: datetime) -> RetentionRule:
    return RetentionRule(
        data_class=data_class,
        basis=kept.basis,
        term=kept.term.amount,
        unit=kept.term.unit,
        starts_at=kept.starts_at,
        valid_from=now,
    )


def _kept(rule: RetentionRule) -> Kept:
    return Kept(Term(rule.term, rule.unit), rule.starts_at, rule.basis)
