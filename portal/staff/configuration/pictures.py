"""The photograph of a place and the logo of a network: handed in on the record's page, and taken away there."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from flask import abort, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import pictures
from auth.records import within
from auth.staff.roles import Action
from db.engine import reading
from gateways.sentences import Sentence
from portal.http.security_headers import LARGEST_UPLOAD
from portal.records.kinds import RecordPages
from portal.records.networks import NETWORK_PAGES
from portal.records.sites import SITE_PAGES
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.configuration import record
from portal.staff.configuration.routes import address
from portal.staff.configuration.shown_pictures import ALT, owner_of
from portal.staff.forms import use_form
from sites.errors import ImportFault, RefusedImport
from sites.images.errors import RefusedImage
from sites.images.preparing import prepare
from sites.images.shapes import LOGO, PHOTOGRAPH, ImageShape
from sites.models import Network, Site


@staff.post("/records/sites/<key>/picture")
@needs(Action.SITES, largest_form=LARGEST_UPLOAD)
def sites_picture(key: str) -> AnyResponse:
    return _set(SITE_PAGES, key, PHOTOGRAPH)


@staff.post("/records/sites/<key>/no-picture")
@needs(Action.SITES)
def sites_no_picture(key: str) -> AnyResponse:
    return _remove(SITE_PAGES, key)


@staff.post("/records/networks/<key>/picture")
@needs(Action.NETWORKS, largest_form=LARGEST_UPLOAD)
def networks_picture(key: str) -> AnyResponse:
    return _set(NETWORK_PAGES, key, LOGO)


@staff.post("/records/networks/<key>/no-picture")
@needs(Action.NETWORKS)
def networks_no_picture(key: str) -> AnyResponse:
    return _remove(NETWORK_PAGES, key)


def _set(pages: RecordPages, key: str, shape: ImageShape) -> AnyResponse:
    """Make the handed-in picture anew, outside of any transaction, and keep it with the record."""
    handed, place = request.files.get("picture"), address(pages, "record", key=key)
    content = handed.read() if handed else b""
    with reading(services().make_session) as db:
        _mine(db, pages, key)
    try:
        prepared = prepare(content, (handed.filename if handed else "") or "", shape)
        with services().make_session.begin() as db:
            owner = _mine(db, pages, key)
            use_form(db, place=place, beside=hashlib.sha256(content).hexdigest())
            alt = {
                name.removeprefix(ALT): text for name, text in request.form.items() if name.startswith(ALT)
            }
            actor, now = current_staff().actor, services().clock()
            pictures.set_picture(db, owner, prepared, alt=alt, actor=actor, now=now)
    except RefusedImage as error:
        with reading(services().make_session) as db:
            cells = record.find(db, pages, key)
        return record.again(pages, key, cells, RefusedImport([ImportFault(record.FORM, None, _said(error))]))
    return redirect(place, HTTPStatus.SEE_OTHER)


def _said(error: RefusedImage) -> Sentence:
    facts = {name: Sentence(fact) if isinstance(fact, str) else fact for name, fact in error.facts.items()}
    return Sentence(error.text, **facts)


def _remove(pages: RecordPages, key: str) -> AnyResponse:
    place = address(pages, "record", key=key)
    with services().make_session.begin() as db:
        owner = _mine(db, pages, key)
        use_form(db, place=place)
        pictures.remove_picture(db, owner, actor=current_staff().actor, now=services().clock())
    return redirect(place, HTTPStatus.SEE_OTHER)


def _mine(db: Session, pages: RecordPages, key: str) -> Site | Network:
    """The record, if it is of this person's networks alone; for others there is none (404)."""
    owner = owner_of(db, pages, key)
    if owner is None:
        abort(HTTPStatus.NOT_FOUND)
    networks = [one.slug for one in owner.networks] if isinstance(owner, Site) else [owner.slug]
    if not within(current_staff().authority.networks, networks):
        abort(HTTPStatus.NOT_FOUND)
    return owner
