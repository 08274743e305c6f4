"""How long what is kept: the table of terms, what each purge did, and confirming one that asks for a person."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import trail
from auth.staff_policy import Action
from db.engine import reading
from portal import keeping
from portal.services import services
from portal.staff import keeping_words as words
from portal.staff import staff
from portal.staff.access import needs, whoever
from sessions.keeping import purge, terms
from sessions.keeping.models import PurgeRun, RetentionRule, TermUnit
from sessions.keeping.terms import StaleRule, Term, UnreadableTerm

RUNS = 20


@staff.get("/retention")
@needs(Action.RETENTION)
def retention() -> AnyResponse:
    return _page(None)


@staff.post("/retention/<int(max=2147483647):rule_id>")
@needs(Action.RETENTION, confirmed=True)
def change_term(rule_id: int) -> AnyResponse:
    service = services()
    try:
        with service.make_session.begin() as db:
            basis = request.form.get("basis", "")[:400]
            closed, fresh = terms.change(db, rule_id, term=_term(), basis=basis, now=service.clock())
            _record(db, closed, fresh)
    except (StaleRule, UnreadableTerm) as error:
        return _page(error)
    return redirect(url_for("staff.retention"), HTTPStatus.SEE_OTHER)


@staff.post("/retention/purge")
@needs(Action.RETENTION, confirmed=True)
def confirm_purge() -> AnyResponse:
    """Begin the purge that was refused; the sweep carries it out."""
    with services().make_session.begin() as db:
        purge.step(db, keeping.SHELVES, now=services().clock(), confirmed_by=whoever().login)
    return redirect(url_for("staff.retention"), HTTPStatus.SEE_OTHER)


def _page(error: Exception | None) -> AnyResponse:
    refusal = words.keeping_refusal(error) if error else None
    with reading(services().make_session) as db:
        runs = db.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(RUNS)).all()
        page = render_template(
            "staff/retention.html",
            refusal=refusal,
            words=words,
            rules=[(rule, Term(rule.term, rule.unit)) for rule in terms.current(db)],
            former=[(rule, Term(rule.term, rule.unit)) for rule in terms.former(db)],
            units=list(TermUnit),
            runs=[(run, [one for one in purge.counts(db, run) if one.due]) for run in runs],
            waiting=runs[0] if runs and runs[0].refused else None,
            now=services().clock(),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _term() -> Term:
    amount, unit = request.form.get("amount", ""), request.form.get("unit", "")
    if unit not in list(TermUnit) or not (amount.isascii() and amount.isdigit()) or len(amount) > 5:
        raise UnreadableTerm
    return Term(int(amount), TermUnit(unit))


def _record(db: Session, closed: RetentionRule, fresh: RetentionRule) -> None:
    trail.record(
        db,
        actor=whoever().login,
        action="term changed",
        object=f"retention:{fresh.data_class}",
        detail={
            "before": f"{closed.term} {closed.unit}",
            "now": f"{fresh.term} {fresh.unit}",
            "basis": fresh.basis,
        },
        now=services().clock(),
    )
