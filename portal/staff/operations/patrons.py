"""The cards of a town without a directory of its own library: looked through, and taken in from a file."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.patrons import imported
from auth.patrons.csv_import import Foreseen, foresee, prepare
from auth.staff.roles import Action
from db.engine import reading
from gateways.sentences import Sentence
from portal.i18n.record_faults import told_faults
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from sites.errors import ImportFault, RefusedImport
from sites.import_export.rows import FILE, decode

LARGEST_FILE = 2 * 1024 * 1024
MOST_SHOWN = 100
# Each PIN takes 20 ms of one core to hash, and a page is not to take it for longer than some seconds.
MOST_CARDS = 500
TOO_MANY = Sentence("more cards than a page takes in at once: hand it in in parts, or use the command line")


@staff.get("/patrons")
@needs(Action.PATRONS, town_wide=True)
def patrons() -> AnyResponse:
    return _page()


@staff.post("/patrons/find")
@needs(Action.PATRONS, town_wide=True)
def find_card() -> AnyResponse:
    """The cards that begin so: a card's number stands in no address."""
    return _page(sought=request.form.get("sought", "").strip()[:100])


@staff.post("/patrons/look")
@needs(Action.PATRONS, town_wide=True, largest_form=LARGEST_FILE)
def look_at_patrons() -> AnyResponse:
    """What the file would do. Nothing of it is kept, since it holds PINs: it is chosen again to be taken in."""
    try:
        with reading(services().make_session) as db:
            return _page(would=foresee(db, _handed_in(), allow_short="short" in request.form))
    except RefusedImport as error:
        return _page(refused=error)


@staff.post("/patrons")
@needs(Action.PATRONS, town_wide=True, largest_form=LARGEST_FILE)
def import_cards() -> AnyResponse:
    """Take the file in. The PINs are hashed before anything is locked."""
    short = "short" in request.form
    try:
        text = _handed_in()
        with reading(services().make_session) as db:
            _bound(foresee(db, text, allow_short=short))
            cards = prepare(db, text, allow_short=short)
    except RefusedImport as error:
        return _page(refused=error)
    with services().make_session.begin() as db:
        answer = use_form(db, beside=hashlib.sha256(text.encode()).hexdigest())
        done = imported.take_in(db, cards, actor=current_staff().actor, now=services().clock())
        answer.place = url_for(
            "staff.patrons", added=done.added, changed=done.changed, unchanged=done.unchanged
        )
        return redirect(answer.place, HTTPStatus.SEE_OTHER)


def _handed_in() -> str:
    """The file of the form. Raises `RefusedImport`; 404 where the cards are those of a directory."""
    if services().settings.ldap is not None:
        abort(HTTPStatus.NOT_FOUND)
    handed = request.files.get("file")
    return decode(handed.read() if handed else b"")


def _bound(would: Foreseen) -> None:
    if would.cards > MOST_CARDS:
        raise RefusedImport([ImportFault(FILE, None, TOO_MANY)])


def _page(
    *, sought: str = "", would: Foreseen | None = None, refused: RefusedImport | None = None
) -> AnyResponse:
    today = services().clock().astimezone(town_zone()).date()
    with reading(services().make_session) as db:
        found = imported.listed(db, beginning=sought, most=MOST_SHOWN + 1)
        page = render_template(
            "staff/patrons.html",
            is_own_table=services().settings.ldap is None,
            count=imported.count(db, today=today),
            cards=found[:MOST_SHOWN],
            is_more=len(found) > MOST_SHOWN,
            sought=sought,
            today=today,
            would=would,
            most=MOST_CARDS,
            done={name: request.args.get(name, type=int) for name in ("added", "changed", "unchanged")},
            faults=told_faults(refused.faults if refused else ()),
        )
    return make_response(page, HTTPStatus.BAD_REQUEST if refused else HTTPStatus.OK)
