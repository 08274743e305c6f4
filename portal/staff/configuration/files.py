"""Records of one kind as a file: taken away, and handed in, with what it would change shown before anything is."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence
from http import HTTPStatus

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth.records import preview, visible
from db.engine import reading
from gateways.sentences import Sentence
from portal.i18n.record_faults import told_faults
from portal.records.kinds import RecordPages
from portal.records.registry import kind_here
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.configuration.routes import RecordView, address
from portal.staff.configuration.words import CellWords
from portal.staff.forms import use_form
from sessions.consequences import WouldDisconnect, carry_out, ended_by
from sites.errors import ImportFault, RefusedImport
from sites.import_export import FileFormat, export_records
from sites.import_export.records import Change
from sites.import_export.rows import MAX_BYTES

MOST_SHOWN = 100
# The name of the button that agrees to what a file ends.
AGREED = "agreed"


def take_away(pages: RecordPages) -> AnyResponse:
    """The records as CSV, or as a French Excel opens it with ``?form=excel``."""
    form = FileFormat.EXCEL if request.args.get("form") == FileFormat.EXCEL else FileFormat.CSV
    with reading(services().make_session) as db:
        content = export_records(db, visible(pages.kind, current_staff().authority.networks), form)
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
    response.headers["Content-Disposition"] = f'attachment; filename="{pages.slug}.csv"'
    return response


def file_page(pages: RecordPages) -> AnyResponse:
    return _page(pages)


def look_at(pages: RecordPages) -> AnyResponse:
    """What the handed-in file would change; nothing is written."""
    handed = request.files.get("file")
    content = handed.read() if handed else b""
    try:
        with reading(services().make_session) as db:
            networks = current_staff().authority.networks
            changes = preview(db, kind_here(pages), content, networks=networks)
            _refuse_new(pages, changes)
            ends = len(ended_by(db, pages.slug, changes, now=services().clock()))
            return _page(pages, changes=changes, content=content, ends=ends)
    except RefusedImport as error:
        return _page(pages, faults=error.faults)


def take_file_in(pages: RecordPages) -> AnyResponse:
    """Carry out what was shown; it is judged once more, as somebody may have changed a record meanwhile."""
    place, content = address(pages, "list"), _unpacked(request.form.get("content", ""))
    kind, me, now = kind_here(pages), current_staff(), services().clock()
    try:
        with services().make_session.begin() as db:
            use_form(db, place=place, beside=hashlib.sha256(content).hexdigest())
            changes = preview(db, kind, content, networks=me.authority.networks)
            _refuse_new(pages, changes)
            carry_out(db, kind, content, actor=me.actor, now=now, agreed=AGREED in request.form)
    except RefusedImport as error:
        return _page(pages, faults=error.faults)
    except WouldDisconnect as error:
        return _page(pages, changes=changes, content=content, ends=error.count)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _page(
    pages: RecordPages,
    *,
    changes: Sequence[Change] | None = None,
    content: bytes = b"",
    faults: Sequence[ImportFault] = (),
    ends: int = 0,
) -> AnyResponse:
    with reading(services().make_session) as db:
        page = render_template(
            "staff/configuration/file.html",
            pages=pages,
            changes=changes,
            cautions=[(one.key, text) for one in changes or () for text in pages.cautions(db, one.after)],
            most=MOST_SHOWN,
            ends=ends,
            content=_packed(content),
            faults=told_faults(faults),
            told=CellWords(db, pages),
            address=address,
        )
    return make_response(page, HTTPStatus.BAD_REQUEST if faults else HTTPStatus.OK)


def _refuse_new(pages: RecordPages, changes: Sequence[Change]) -> None:
    """Where adding one shows a secret once, a file adds none. Raises `RefusedImport`."""
    new = [] if pages.adds else [one for one in changes if one.before is None]
    if new:
        reason = Sentence("is new: add it on its own page, which shows once what only it may know")
        raise RefusedImport([ImportFault(one.where, pages.kind.records.key, reason) for one in new])


def _packed(content: bytes) -> str:
    """A file for a hidden field: a browser changes no line break of it there."""
    return base64.b64encode(zlib.compress(content)).decode()


def _unpacked(text: str) -> bytes:
    """The file of a hidden field; what is none is an empty file, which is refused as one."""
    try:
        return zlib.decompressobj().decompress(base64.b64decode(text, validate=True), MAX_BYTES + 1)
    except (ValueError, binascii.Error, zlib.error):
        return b""


VIEWS: dict[str, RecordView] = {
    "csv": RecordView("/-/csv", "GET", take_away),
    "file": RecordView("/-/file", "GET", file_page),
    "look": RecordView("/-/file", "POST", look_at),
    "take_in": RecordView("/-/take-in", "POST", take_file_in),
}
