"""One record on a form: added, copied from another, changed, and each change of it undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import Denial
from auth.records import ChangedRecord, preview, visible
from db.engine import reading
from gateways.sentences import Sentence
from portal.denials.rendering import Refusal, staff_page
from portal.i18n.record_faults import by_column
from portal.i18n.translation import say
from portal.records.kinds import RecordPages
from portal.records.registry import cautions_of, kind_here
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.configuration.routes import RecordView, address
from portal.staff.configuration.typed import Cells, new_cells, shown_groups, typed_cells
from portal.staff.configuration.words import CellWords
from portal.staff.forms import use_form
from sessions.consequences import WouldDisconnect, carry_out
from sites.errors import ImportFault, RefusedImport
from sites.import_export import history
from sites.import_export.records import current_cells
from sites.import_export.rows import Row

# Where a row of a form stands, and the name of the button that agrees to what a change ends.
FORM, AGREED = "form", "agreed"


# By kind: a template of its own, and what that is made from beside the cells.
EXTRAS: dict[str, tuple[str, Callable[[Cells], dict[str, object]]]] = {}


def new_page(pages: RecordPages) -> AnyResponse:
    """An empty form, or that of the record named ``from`` without its name."""
    with reading(services().make_session) as db:
        cells = new_cells(kind_here(pages).records)
        if copied := request.args.get("from"):
            cells |= find(db, pages, copied)
            cells |= {pages.kind.records.key: "", pages.name: ""}
        return _page(db, pages, "", cells)


def add(pages: RecordPages) -> AnyResponse:
    records = pages.kind.records
    cells = typed_cells(pages, request.form, {})
    cells[records.key] = cells.get(records.key, "").strip()
    try:
        with services().make_session.begin() as db:
            answer = use_form(db)
            if cells[records.key] in records.current(db):
                raise RefusedImport(
                    [ImportFault(FORM, records.key, Sentence("is taken: another one has it"))]
                )
            _carry_out(db, pages, cells)
            answer.place = address(pages, "record", key=cells[records.key])
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except RefusedImport as error:
        return again(pages, "", cells, error)


def record_page(pages: RecordPages, key: str) -> AnyResponse:
    with reading(services().make_session) as db:
        return _page(db, pages, key, find(db, pages, key))


def change(pages: RecordPages, key: str) -> AnyResponse:
    """Change it as typed, as long as nobody else has since the form was shown."""
    place, cells = address(pages, "record", key=key), {}
    try:
        with services().make_session.begin() as db:
            cells = typed_cells(pages, request.form, find(db, pages, key))
            cells[pages.kind.records.key] = key
            use_form(db, place=place)
            if request.form.get("revision", "") != str(history.revision(db, pages.slug, key)):
                raise ChangedRecord
            _carry_out(db, pages, cells)
    except (RefusedImport, ChangedRecord, WouldDisconnect) as error:
        return again(pages, key, cells, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


def undo(pages: RecordPages, key: str, undo_id: int) -> AnyResponse:
    """Give the columns that one change changed what they held before it, by another change."""
    place, cells = address(pages, "record", key=key), {}
    try:
        with services().make_session.begin() as db:
            cells = find(db, pages, key)
            undone = history.find(db, pages.slug, key, undo_id)
            if undone is None or undone.before is None:
                abort(HTTPStatus.NOT_FOUND)
            use_form(db, place=place)
            cells |= undone.before
            _carry_out(db, pages, {**undone.before, pages.kind.records.key: key}, undoes=undo_id)
    except (RefusedImport, WouldDisconnect) as error:
        return again(pages, key, cells, error)
    return redirect(place, HTTPStatus.SEE_OTHER)


def _carry_out(db: Session, pages: RecordPages, cells: Cells, *, undoes: int | None = None) -> None:
    """Raises `RefusedImport`, and `WouldDisconnect` until the form is sent with the button that says how many."""
    rows, agreed = [Row(FORM, cells)], AGREED in request.form
    actor, now = current_staff().actor, services().clock()
    carry_out(db, kind_here(pages), rows, actor=actor, now=now, agreed=agreed, undoes=undoes)


def find(db: Session, pages: RecordPages, key: str) -> dict[str, str]:
    """The cells of a record that is this person's to see; to others there is none (404)."""
    records = visible(pages.kind, current_staff().authority.networks)
    cells = current_cells(db, records).get(key)
    if cells is None:
        abort(HTTPStatus.NOT_FOUND)
    return dict(cells)


def again(pages: RecordPages, key: str, cells: Cells, error: RefusedImport | Denial) -> AnyResponse:
    """The form with what was typed, and what is wrong with it."""
    with reading(services().make_session) as db:
        if isinstance(error, Denial):
            refusal = staff_page(error)
            ends = error.count if isinstance(error, WouldDisconnect) else 0
            return make_response(_page(db, pages, key, cells, refusal=refusal, ends=ends), refusal.status)
        wrong = by_column(error.faults)
        return make_response(_page(db, pages, key, cells, wrong=wrong), HTTPStatus.BAD_REQUEST)


def _page(
    db: Session,
    pages: RecordPages,
    key: str,
    cells: Cells,
    *,
    wrong: Mapping[str, Sequence[str]] | None = None,
    refusal: Refusal | None = None,
    ends: int = 0,
) -> AnyResponse:
    told = CellWords(db, pages)
    records, wrong = pages.kind.records, wrong or {}
    groups = shown_groups(db, pages, cells, wrong, without=records.key if key else "")
    labels = {one.name: one.label for group in groups for one in group.fields}
    template, more = EXTRAS.get(pages.slug, ("staff/configuration/record.html", lambda _cells: {}))
    page = render_template(
        template,
        **more(cells),
        pages=pages,
        key=key,
        name=told(pages.name, find(db, pages, key)) or key if key else say(pages.new),
        groups=groups,
        labels=labels,
        # A fault of a column that is not on the form is told above it.
        faults=[(column, text) for column, texts in wrong.items() for text in texts],
        refusal=refusal,
        cautions=[text for _, text in cautions_of(db, pages, [key])] if key else (),
        ends=ends,
        revision=history.revision(db, pages.slug, key) if key else 0,
        changes=history.of_record(db, pages.slug, key) if key else [],
        told=told,
        address=address,
    )
    return make_response(page)


def look_first(pages: RecordPages, put_right: Callable[[dict[str, str]], None] | None = None) -> AnyResponse:
    """The form as it was typed, with what would follow from it. Nothing is written."""
    cells = typed_cells(pages, request.form, {})
    if put_right is not None:
        put_right(cells)
    key = request.form.get("key", "")
    cells[pages.kind.records.key] = key or cells.get(pages.kind.records.key, "").strip()
    row, networks = Row(FORM, cells), current_staff().authority.networks
    try:
        with reading(services().make_session) as db:
            preview(db, pages.kind, [row], networks=networks)
            return shown(db, pages, key, cells)
    except RefusedImport as error:
        return again(pages, key, cells, error)


def shown(db: Session, pages: RecordPages, key: str, cells: Cells) -> AnyResponse:
    """The form with these cells, whatever the record has."""
    return make_response(_page(db, pages, key, cells))


ADDING: dict[str, RecordView] = {
    "new": RecordView("/-/new", "GET", new_page),
    "add": RecordView("/-/new", "POST", add),
}
VIEWS: dict[str, RecordView] = {
    "record": RecordView("/<key>", "GET", record_page),
    "change": RecordView("/<key>", "POST", change),
    "undo": RecordView("/<key>/undo/<int(max=2147483647):undo_id>", "POST", undo),
}
