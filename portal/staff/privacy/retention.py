"""How long what is kept: the table of terms, what each purge did, and confirming one that asks for a person."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal import retention as keeping
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.privacy import words
from sessions.retention import periods, purge
from sessions.retention.errors import BelowLaw, OpenChange, OverChange, SamePerson, StaleRule, UnreadableTerm
from sessions.retention.law import FLOORS, Term
from sessions.retention.models import TermChange, TermUnit

RUNS = 20
REFUSALS = (
    StaleRule,
    UnreadableTerm,
    BelowLaw,
    OpenChange,
    OverChange,
    SamePerson,
)


@staff.get("/retention")
@needs(Action.RETENTION)
def retention() -> AnyResponse:
    return _page(None)


@staff.post("/retention/<int(max=2147483647):rule_id>")
@needs(Action.RETENTION, confirmed=True, town_wide=True)
def change_term(rule_id: int) -> AnyResponse:
    """Take a longer term at once, or ask for a shorter one."""
    basis = request.form.get("basis", "")[:400]
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.retention"))
            actor, now = current_staff().actor, services().clock()
            periods.change(db, rule_id, term=_term(), basis=basis, actor=actor, now=now)
    except REFUSALS as error:
        return _page(error)
    return redirect(url_for("staff.retention"), HTTPStatus.SEE_OTHER)


@staff.post("/retention/changes/<int(max=2147483647):change_id>/confirm")
@needs(Action.RETENTION, confirmed=True, town_wide=True)
def confirm_term(change_id: int) -> AnyResponse:
    return _settle(periods.confirm, change_id)


@staff.post("/retention/changes/<int(max=2147483647):change_id>/withdraw")
@needs(Action.RETENTION, confirmed=True, town_wide=True)
def withdraw_term(change_id: int) -> AnyResponse:
    return _settle(periods.withdraw, change_id)


@staff.post("/retention/purge")
@needs(Action.RETENTION, confirmed=True, town_wide=True)
def confirm_purge() -> AnyResponse:
    """Begin the purge that was refused; the sweep carries it out."""
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.retention"))
            purge.step(db, keeping.SHELVES, now=services().clock(), confirmed_by=current_staff().actor)
    except SamePerson as error:
        return _page(error)
    return redirect(url_for("staff.retention"), HTTPStatus.SEE_OTHER)


def _settle(settle: Callable[..., TermChange], change_id: int) -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.retention"))
            settle(db, change_id, actor=current_staff().actor, now=services().clock())
    except REFUSALS as error:
        return _page(error)
    return redirect(url_for("staff.retention"), HTTPStatus.SEE_OTHER)


def _page(error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        runs = purge.runs(db, most=RUNS)
        page = render_template(
            "staff/retention.html",
            refusal=refusal,
            words=words,
            rules=[(rule, Term(rule.term, rule.unit)) for rule in periods.current(db)],
            floors=FLOORS,
            asked=[(one, Term(one.term, one.unit)) for one in periods.waiting(db)],
            delay=periods.DELAY,
            may_change=not current_staff().authority.networks,
            former=[(rule, Term(rule.term, rule.unit)) for rule in periods.former(db)],
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
