"""The table of terms: each class of data has its basis in law, its term, and the event that starts it.

A change never overwrites: the old line is closed and a new one begins, so that what held on any day can be shown.

A longer term holds at once. A shorter one destroys for good, so it is asked for by one person, confirmed by another,
and carried out a week later; below the least that the law asks for it is refused, and never acted upon, whatever a row
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import (
    PERIOD_ASKED,
    PERIOD_CHANGED,
    PERIOD_CONFIRMED,
    PERIOD_WITHDRAWN,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import SYSTEM, Actor
from sessions.data_classes import DataClass
from sessions.retention.errors import BelowLaw, OpenChange, OverChange, SamePerson, StaleRule, UnreadableTerm
from sessions.retention.law import FLOORS, LAW, Kept, Term
from sessions.retention.models import RetentionRule, TermChange, TermUnit

LONGEST_BASIS = 400
MOST = {TermUnit.DAYS: 3660, TermUnit.MONTHS: 120, TermUnit.YEARS: 10}


# Between the second person's word and the day when a shorter term holds: time for somebody to see it.
DELAY = timedelta(days=7)


def seed(db: Session, *, now: datetime) -> int:
    """Write down what the law says for every class that has no line yet; how many."""
    there = set(db.scalars(select(RetentionRule.data_class)))
    for data_class, kept in LAW.items():
        if data_class not in there:
            db.add(_rule(data_class, kept, now))
    return len(LAW.keys() - there)


def in_force(db: Session) -> dict[DataClass, Kept]:
    """The periods in force by class: the table's row, or the law's where there is none or where it is longer."""
    found = dict(LAW) | {rule.data_class: _kept(rule) for rule in current(db)}
    return {data_class: _lawful(data_class, kept) for data_class, kept in found.items()}


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
    db: Session, rule_id: int, *, term: Term, basis: str, actor: Actor, now: datetime
) -> tuple[RetentionRule, RetentionRule] | TermChange:
    """Ask for another term: the line that was closed and the one that began, or, where it is shorter, what waits now.

    Raises `StaleRule`, `UnreadableTerm`, `BelowLaw`, `OpenChange`.
    """
    basis = basis.strip()
    if not 1 <= term.amount <= MOST[term.unit] or not basis or len(basis) > LONGEST_BASIS:
        raise UnreadableTerm
    rule = db.get(RetentionRule, rule_id)
    if rule is None or rule.valid_to is not None:
        raise StaleRule
    if not term.is_shorter_than(_kept(rule).term):
        kept = Kept(term, rule.starts_at, basis)
        closed, fresh = _replace(db, rule_id, kept, by=actor.name, now=now)
        _append(db, PERIOD_CHANGED, fresh, _detail(fresh, before=closed), actor=actor, now=now)
        return closed, fresh
    floor = FLOORS[rule.data_class]
    if floor.term is not None and term.is_shorter_than(floor.term):
        raise BelowLaw(floor)
    asked = TermChange(
        data_class=rule.data_class,
        basis=basis,
        term=term.amount,
        unit=term.unit,
        asked_at=now,
        asked_by=actor.name,
    )
    try:
        with db.begin_nested():
            db.add(asked)
    except IntegrityError as error:
        raise OpenChange from error
    _append(db, PERIOD_ASKED, asked, _detail(asked, before=rule), actor=actor, now=now)
    return asked


def waiting(db: Session) -> list[TermChange]:
    """The shorter terms that were asked for and do not hold yet."""
    return list(db.scalars(select(TermChange).where(TermChange.ended_at.is_(None)).order_by(TermChange.id)))


def confirm(db: Session, change_id: int, *, actor: Actor, now: datetime) -> TermChange:
    """A second person wants it too: it holds a week from now. Raises `SamePerson`, `OverChange`."""
    found = db.get(TermChange, change_id)
    if found is not None and found.asked_by == actor.name:
        raise SamePerson
    unconfirmed = and_(TermChange.confirmed_at.is_(None), TermChange.asked_by != actor.name)
    change = _claim(db, change_id, unconfirmed, confirmed_at=now, confirmed_by=actor.name)
    _append(db, PERIOD_CONFIRMED, change, _asked(change), actor=actor, now=now)
    return change


def withdraw(db: Session, change_id: int, *, actor: Actor, now: datetime) -> TermChange:
    """Leave the term as it is. Anybody who may change it may do that alone. Raises `OverChange`."""
    change = _claim(db, change_id, true(), ended_at=now, withdrawn_by=actor.name)
    _append(db, PERIOD_WITHDRAWN, change, _asked(change), actor=actor, now=now)
    return change


def carry_out(db: Session, *, now: datetime) -> list[tuple[RetentionRule, RetentionRule, TermChange]]:
    """Begin the lines whose week is over: which were closed, which began, and by whose words."""
    done = []
    for one in waiting(db):
        if one.confirmed_at is None or one.confirmed_at + DELAY > now:
            continue
        rule = next(rule for rule in current(db) if rule.data_class == one.data_class)
        kept = Kept(Term(one.term, one.unit), rule.starts_at, one.basis)
        closed, fresh = _replace(db, rule.id, kept, by=one.asked_by, now=now)
        one.ended_at = now
        done.append((closed, fresh, one))
    db.flush()
    for closed, fresh, one in done:
        by = {"asked by": one.asked_by, "confirmed by": one.confirmed_by}
        _append(db, PERIOD_CHANGED, fresh, _detail(fresh, before=closed) | by, actor=SYSTEM, now=now)
    return done


def shortened_by(db: Session) -> set[str]:
    """The accounts that asked for the shorter periods in force or pending."""
    return {one.asked_by for one in waiting(db)} | {
        rule.changed_by
        for rule in current(db)
        if rule.changed_by is not None and _kept(rule).term.is_shorter_than(LAW[rule.data_class].term)
    }


def _detail(rule: RetentionRule | TermChange, *, before: RetentionRule) -> dict[str, str | None]:
    """What the audit log says of a change."""
    return {
        "before": f"{before.term} {before.unit}",
        "now": f"{rule.term} {rule.unit}",
        "basis": rule.basis,
    }


def _asked(change: TermChange) -> dict[str, str | None]:
    """What the audit log says of the answer to a change."""
    return {"now": f"{change.term} {change.unit}", "asked by": change.asked_by}


def _append(
    db: Session,
    action: AuditAction,
    rule: RetentionRule | TermChange,
    detail: Mapping[str, str | None],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    object = ObjectKind.RETENTION_PERIOD.named(rule.data_class)
    log.append(db, action, object, actor=actor, detail=detail, now=now)


def _claim(db: Session, change_id: int, which: ColumnElement[bool], **values: object) -> TermChange:
    claimed = db.scalar(
        update(TermChange)
        .where(TermChange.id == change_id, TermChange.ended_at.is_(None), which)
        .values(**values)
        .returning(TermChange)
        .execution_options(populate_existing=True)
    )
    if claimed is None:
        raise OverChange
    return claimed


def _replace(
    db: Session, rule_id: int, kept: Kept, *, by: str, now: datetime
) -> tuple[RetentionRule, RetentionRule]:
    """Close one line and begin the next. Raises `StaleRule`."""
    closed = db.scalar(
        update(RetentionRule)
        .where(RetentionRule.id == rule_id, RetentionRule.valid_to.is_(None))
        .values(valid_to=now)
        .returning(RetentionRule)
        .execution_options(populate_existing=True)
    )
    if closed is None:
        raise StaleRule
    fresh = _rule(closed.data_class, kept, now)
    fresh.changed_by = by
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


def _lawful(data_class: DataClass, kept: Kept) -> Kept:
    floor = FLOORS[data_class]
    if floor.term is not None and kept.term.is_shorter_than(floor.term):
        return Kept(floor.term, kept.starts_at, floor.source)
    return kept


def _kept(rule: RetentionRule) -> Kept:
    return Kept(Term(rule.term, rule.unit), rule.starts_at, rule.basis)
