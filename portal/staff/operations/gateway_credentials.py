"""A gateway's credential: made with its record or anew, and shown once, in the lines that its box is given."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import gateway_credentials as credentials
from auth.records import take_in
from auth.staff.roles import Action
from db.engine import reading
from gateways.landing_token import credential_digest
from gateways.sentences import Sentence
from portal.gateway_api.endpoints import endpoint_of
from portal.records.gateways import GATEWAY_PAGES
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, ensure, needs
from portal.staff.configuration import record
from portal.staff.configuration.typed import typed_cells
from portal.staff.forms import FormerCodes, drawn_for, source_of, use_form
from sites.errors import ImportFault, RefusedImport
from sites.gateways import by_identity, rotate_credential
from sites.import_export.rows import Row
from sites.models import Gateway


@staff.get("/records/gateways/-/new", endpoint="gateways_new")
@needs(Action.GATEWAYS)
def new_gateway() -> AnyResponse:
    return record.new_page(GATEWAY_PAGES)


@staff.post("/records/gateways/-/new", endpoint="gateways_add")
@needs(Action.GATEWAYS)
def add_gateway() -> AnyResponse:
    """Record it, and lead to the page that shows its credential."""
    actor, now = current_staff().actor, services().clock()
    cells = typed_cells(GATEWAY_PAGES, request.form, {})
    cells["identity"] = identity = cells.get("identity", "").strip()
    try:
        with services().make_session.begin() as db:
            answer = use_form(db)
            if by_identity(db, identity) is not None:
                raise RefusedImport(
                    [ImportFault(record.FORM, "identity", Sentence("is taken: another one has it"))]
                )
            take_in(db, GATEWAY_PAGES.kind, [Row(record.FORM, cells)], actor=actor, now=now)
            rotate_credential(db, _find(db, identity), credential=source_of(answer).token)
            answer.place = url_for("staff.gateway_credential", identity=identity, answer_id=answer.id)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except RefusedImport as error:
        return record.again(GATEWAY_PAGES, "", cells, error)


@staff.post("/gateways/<identity>/credential")
@needs(Action.GATEWAYS, confirmed=True)
def rotate_gateway(identity: str) -> AnyResponse:
    """Another credential in the place of the old one, and with it other secrets in the lines of its box."""
    with services().make_session.begin() as db:
        gateway = _find(db, identity)
        answer = use_form(db)
        credentials.rotate(
            db,
            gateway,
            credential=source_of(answer).token,
            keep_old_hours=request.form.get("hours", 0, type=int),
            actor=current_staff().actor,
            now=services().clock(),
        )
        answer.place = url_for("staff.gateway_credential", identity=identity, answer_id=answer.id)
        return redirect(answer.place, HTTPStatus.SEE_OTHER)


@staff.get("/gateways/<identity>/credential/<int(max=2147483647):answer_id>")
@needs(Action.GATEWAYS)
def gateway_credential(identity: str, answer_id: int) -> AnyResponse:
    """The lines with the credential that a form of this sign-in made. Raises `FormerCodes`."""
    with reading(services().make_session) as db:
        gateway = _find(db, identity)
        credential = drawn_for(db, answer_id).token
        if credential_digest(credential) != gateway.credential_digest:
            raise FormerCodes
        set_up = endpoint_of(gateway.kind).set_up(gateway)
        page = render_template(
            "staff/gateway_credential.html",
            gateway=gateway,
            credential=credential,
            set_up=set_up,
            commands=set_up.commands_with(credential),
        )
    return make_response(page)


def _find(db: Session, identity: str) -> Gateway:
    gateway = by_identity(db, identity)
    if gateway is None:
        abort(HTTPStatus.NOT_FOUND)
    ensure(Action.GATEWAYS, gateway.network.slug)
    return gateway
