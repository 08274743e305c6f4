"""The books as files for a spreadsheet. No codes stand in them: nobody has them any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask import Response, make_response
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from auth.vouchers import audit
from auth.vouchers.models import Batch, Voucher
from auth.vouchers.scope import find_batches
from auth.vouchers.totals import Books
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.vouchers.batches import books_of, find_or_hide, passes_of, query_of
from sites.import_export.rows import Cell
from sites.import_export.tables import write_table

MOST_IN_A_FILE = 2_000
BATCH_COLUMNS = (
    *("batch", "issued_at", "issued_by", "desk", "plan", "event", "note", "suspended_at"),
    *("printed", "used", "void", "expired", "left"),
)
PASS_COLUMNS = ("mark", "state", "issued_at", "used_at", "until", "voided_at", "reason", "voided_by")


@staff.get("/batches.csv")
@needs(Action.BOOKS)
def batches_csv() -> AnyResponse:
    """The books of the batches that the list shows, for a spreadsheet."""
    with services().make_session.begin() as db:
        found = find_batches(db, query_of(MOST_IN_A_FILE), current_staff().authority)
        rows = list(_book_rows(found, books_of(db, found)))
        audit.books_exported(db, batches=len(found), actor=current_staff().actor, now=services().clock())
    return _csv(write_table(BATCH_COLUMNS, rows, excel=True), "batches.csv")


@staff.get("/batches/<int(max=2147483647):batch_id>/passes.csv")
@needs(Action.BOOKS)
def batch_csv(batch_id: int) -> AnyResponse:
    """Every pass of a batch and what became of it. No codes: nobody has them."""
    now = services().clock()
    with services().make_session.begin() as db:
        found = find_or_hide(db, batch_id)
        rows = [_pass_row(voucher, state) for voucher, state in passes_of(db, batch_id, now)]
        audit.batch_exported(db, found, passes=len(rows), actor=current_staff().actor, now=now)
    return _csv(write_table(PASS_COLUMNS, rows, excel=True), f"batch-{batch_id}.csv")


def _book_rows(found: list[Batch], books: dict[int, Books]) -> Iterator[dict[str, Cell]]:
    for one in found:
        book = books.get(one.id, Books())
        yield {
            "batch": one.id,
            "issued_at": _instant(one.issued_at),
            "issued_by": one.issued_by,
            "desk": one.desk_site,
            "plan": one.plan.slug,
            "event": one.event,
            "note": one.note,
            "suspended_at": _instant(one.suspended_at),
            "printed": book.printed,
            "used": book.used,
            "void": book.void,
            "expired": book.expired,
            "left": book.left,
        }


def _pass_row(voucher: Voucher, state: str) -> dict[str, Cell]:
    return {
        "mark": voucher.mark,
        "state": state,
        "issued_at": _instant(voucher.issued_at),
        "used_at": _instant(voucher.used_at),
        "until": _instant(voucher.until),
        "voided_at": _instant(voucher.voided_at),
        "reason": voucher.void_reason.value if voucher.void_reason else "",
        "voided_by": voucher.voided_by or "",
    }


def _csv(content: bytes, name: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
