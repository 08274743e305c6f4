"""The register of requisitions: the one way by which legal data leaves. Everything here is in the audit log first."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit import search
from auth.audit.actions import (
    REQUISITION_OPENED,
    REQUISITION_WEIGHED,
    REQUISITIONS_LISTED,
    ObjectKind,
)
from auth.audit.search import Query
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.privacy import legal_request_words
from portal.staff.sessions import access_audit
from sessions.legal_requests import answering, register
from sessions.legal_requests.errors import UnreadableEntry
from sessions.legal_requests.models import Requisition
from sessions.legal_requests.scopes import RequestScope, ScopeKind, zones


@staff.get("/requisitions")
@needs(Action.REQUISITIONS)
def requisitions() -> AnyResponse:
    access_audit.note(REQUISITIONS_LISTED, ObjectKind.REQUISITIONS)
    with reading(services().make_session) as db:
        found = register.newest(db, current_staff().authority)
        return _page("requisitions.html", entries=found)


@staff.get("/requisitions/new")
@needs(Action.REQUISITIONS)
def new_requisition() -> AnyResponse:
    return _form({"kind": "origin", "tolerance": "0"}, None)


@staff.post("/requisitions")
@needs(Action.REQUISITIONS)
def add_requisition() -> AnyResponse:
    me, words = current_staff(), request.form.to_dict()
    try:
        with services().make_session.begin() as db:
            answer = use_form(db)
            entry = register.add(
                db,
                words,
                networks=me.authority.networks,
                zone=town_zone(),
                actor=me.actor,
                now=services().clock(),
            )
            answer.place = url_for("staff.requisition", requisition_id=entry.id)
    except UnreadableEntry as error:
        return _form(words, error)
    return redirect(url_for("staff.requisition", requisition_id=entry.id), HTTPStatus.SEE_OTHER)


@staff.get("/requisitions/<int(max=2147483647):requisition_id>")
@needs(Action.REQUISITIONS)
def requisition(requisition_id: int) -> AnyResponse:
    with reading(services().make_session) as db:
        entry = _find(db, requisition_id)
        access_audit.note(REQUISITION_OPENED, _object(entry), network=register.network_of(entry))
        done = search.read(db, Query(objects=(_object(entry),)), networks=current_staff().authority.networks)
        return _page("requisition.html", entry=entry, scope=RequestScope.of(entry.scope), deeds=done)


@staff.get("/requisitions/<int(max=2147483647):requisition_id>/package")
@needs(Action.REQUISITIONS, confirmed=True)
def package_page(requisition_id: int) -> AnyResponse:
    """How exact the answer would be, before anything leaves."""
    with reading(services().make_session) as db:
        entry = _find(db, requisition_id)
        access_audit.note(REQUISITION_WEIGHED, _object(entry), network=register.network_of(entry))
        finding = answering.look(db, entry, zone=town_zone(), now=services().clock())
        return _page(
            "requisition_package.html", entry=entry, scope=RequestScope.of(entry.scope), finding=finding
        )


@staff.post("/requisitions/<int(max=2147483647):requisition_id>/package")
@needs(Action.REQUISITIONS, confirmed=True)
def make_requisition_package(requisition_id: int) -> AnyResponse:
    service = services()
    with service.make_session.begin() as db:
        package = answering.answer(
            db,
            _find(db, requisition_id),
            signer=service.signer,
            portal=service.settings.portal_host,
            note=service.legal_note,
            actor=current_staff().actor,
            now=service.clock(),
        )
    # Only now: the lines are in the audit log.
    response = make_response(package.content)
    response.headers["Content-Type"] = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{package.name}"'
    return response


@staff.post("/requisitions/<int(max=2147483647):requisition_id>/close")
@needs(Action.REQUISITIONS, confirmed=True)
def close_requisition(requisition_id: int) -> AnyResponse:
    with services().make_session.begin() as db:
        entry = _find(db, requisition_id)
        use_form(db, place=url_for("staff.requisition", requisition_id=requisition_id))
        register.close(db, entry, actor=current_staff().actor, now=services().clock())
    return redirect(url_for("staff.requisition", requisition_id=requisition_id), HTTPStatus.SEE_OTHER)


def _find(db: Session, number: int) -> Requisition:
    """The entry; to those it is not for, there is no such page."""
    entry = register.find(db, number, current_staff().authority)
    if entry is None:
        abort(HTTPStatus.NOT_FOUND)
    return entry


def _object(entry: Requisition) -> str:
    return ObjectKind.REQUISITION.named(entry.id)


def _form(words: dict[str, str], error: UnreadableEntry | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = _page(
            "requisition_new.html",
            words=words,
            refusal=refusal,
            bases=register.bases(db),
            zones=zones(town_zone()),
        )
    page.status_code = HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK
    return page


def _page(template: str, **values: object) -> AnyResponse:
    page = render_template(f"staff/{template}", say_of=legal_request_words, kinds=ScopeKind, **values)
    return make_response(page)
