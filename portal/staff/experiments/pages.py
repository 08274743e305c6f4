"""Experiments: the list, one of them as a page and in print, and the forms."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import Denial
from auth.staff.roles import Action, covers
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.printing.typesetter import typeset_report
from portal.reports import experiment as words
from portal.reports import making
from portal.reports.document import Document
from portal.reports.experiment_figures import measure
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.experiments import typed
from portal.staff.forms import use_form
from sessions.experiments import service as experiments
from sessions.experiments.errors import RunningExperiment, UnreadableExperiment
from sessions.experiments.indicators import Measure, value_of
from sessions.experiments.models import Experiment
from sessions.experiments.service import Writer
from sites import queries

ONE = "/experiments/<int(max=2147483647):experiment_id>"


@staff.get("/experiments")
@needs(Action.EXPERIMENT)
def experiment_list() -> AnyResponse:
    with reading(services().make_session) as db:
        found = experiments.everything(db, current_staff().authority)
        states = {one.id: words.state_in_words(one, _today()) for one in found}
        return make_response(render_template("staff/experiments.html", experiments=found, states=states))


@staff.get("/experiments/new")
@needs(Action.EXPERIMENT)
def new_experiment() -> AnyResponse:
    return _form(None, None)


@staff.post("/experiments/new")
@needs(Action.EXPERIMENT)
def write_experiment() -> AnyResponse:
    try:
        plan = typed.plan_of(request.form)
        with services().make_session.begin() as db:
            answer = use_form(db)
            made = experiments.write(db, plan, writer=_writer(), now=services().clock())
            answer.place = url_for("staff.experiment", experiment_id=made.id)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except UnreadableExperiment as error:
        return _form(None, error)


@staff.get(ONE)
@needs(Action.EXPERIMENT)
def experiment(experiment_id: int) -> AnyResponse:
    return _page(experiment_id, None)


@staff.get(f"{ONE}/pdf")
@needs(Action.EXPERIMENT)
def experiment_print(experiment_id: int) -> AnyResponse:
    """The same in print. Raises `RendererBusy` and `FailedPrinting`."""
    with reading(services().make_session) as db:
        found = _find(db, experiment_id)
        document = _document(db, found)
        networks = frozenset(found.networks)
    response = make_response(typeset_report(asdict(making.dressed(services(), document, networks))))
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="experiment-{experiment_id}.pdf"'
    return response


@staff.get(f"{ONE}/edit")
@needs(Action.EXPERIMENT)
def edit_experiment(experiment_id: int) -> AnyResponse:
    with reading(services().make_session) as db:
        found = _find(db, experiment_id)
    if found.first <= _today():
        raise RunningExperiment
    return _form(found, None)


@staff.post(f"{ONE}/edit")
@needs(Action.EXPERIMENT)
def change_experiment(experiment_id: int) -> AnyResponse:
    """Change what was written, before it begins. Raises `RunningExperiment`."""
    place = url_for("staff.experiment", experiment_id=experiment_id)
    with reading(services().make_session) as db:
        found = _find(db, experiment_id)
    try:
        plan = typed.plan_of(request.form)
        with services().make_session.begin() as db:
            use_form(db, place=place)
            now = services().clock()
            experiments.change(db, _find(db, experiment_id), plan, today=_today(), writer=_writer(), now=now)
    except UnreadableExperiment as error:
        return _form(found, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post(f"{ONE}/amend")
@needs(Action.EXPERIMENT)
def amend_threshold(experiment_id: int) -> AnyResponse:
    place = url_for("staff.experiment", experiment_id=experiment_id)
    try:
        with services().make_session.begin() as db:
            found = _find(db, experiment_id)
            use_form(db, place=place)
            experiments.amend(
                db,
                found,
                request.form.get("measure", "")[:32],
                typed.number_of(request.form, "threshold"),
                reason=typed.text_of(request.form, "reason"),
                writer=_writer(),
                now=services().clock(),
            )
    except UnreadableExperiment as error:
        return _page(experiment_id, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post(f"{ONE}/review")
@needs(Action.EXPERIMENT)
def note_review(experiment_id: int) -> AnyResponse:
    place = url_for("staff.experiment", experiment_id=experiment_id)
    with reading(services().make_session) as db:
        measured = measure(services(), _find(db, experiment_id), today=_today())
    try:
        with services().make_session.begin() as db:
            found = _find(db, experiment_id)
            use_form(db, place=place)
            figures = {
                one.kind: value_of(one.kind, measured.whole) if measured else None for one in found.indicators
            }
            experiments.review(
                db,
                found,
                held_on=typed.day_of(request.form, "held_on"),
                note=typed.text_of(request.form, "note"),
                figures=figures,
                today=_today(),
                writer=_writer(),
                now=services().clock(),
            )
    except UnreadableExperiment as error:
        return _page(experiment_id, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _page(experiment_id: int, error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        found = _find(db, experiment_id)
        page = render_template(
            "staff/experiment.html",
            refusal=refusal,
            experiment=found,
            document=_document(db, found),
            has_begun=found.first <= _today(),
            measure_in_words=words.measure_in_words,
            threshold_in_words=words.threshold_in_words,
            typed=request.form,
            today=_today(),
            drawing=Markup,
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _form(found: Experiment | None, error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    authority = current_staff().authority
    cells = request.form if refusal else typed.cells_of(found) if found else {}
    with reading(services().make_session) as db:
        page = render_template(
            "staff/experiment_form.html",
            refusal=refusal,
            experiment=found,
            typed=cells,
            measures=list(Measure),
            measure_in_words=words.measure_in_words,
            unit_of=words.unit_of,
            networks=[one for one in queries.networks(db) if covers(authority, one.slug)],
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _document(db: Session, found: Experiment) -> Document:
    names = [network.name for network in queries.networks(db) if network.slug in found.networks]
    return words.compose(services(), found, measure(services(), found, today=_today()), names)


def _find(db: Session, experiment_id: int) -> Experiment:
    found = experiments.find(db, experiment_id, current_staff().authority)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _writer() -> Writer:
    person = current_staff()
    return Writer(person.actor, person.name)


def _today() -> date:
    return services().clock().astimezone(town_zone()).date()
