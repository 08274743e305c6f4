"""The books as files for a spreadsheet, in the reader's language and on the town's clock: programs read the API.

They hold no codes: those are kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from auth.vouchers import audit
from auth.vouchers.models import Batch, Voucher
from auth.vouchers.scope import find_batches
from auth.vouchers.states import passes_of
from auth.vouchers.totals import Books
from portal.i18n.translation import say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.layout import desk_name
from portal.staff.vouchers.pages import books_of, csv_file, find_or_hide, query_of
from portal.staff.vouchers.plan_words import plan_name
from portal.staff.vouchers.voucher_words import pass_state_in_words, void_reason_in_words
from sites.import_export.rows import Cell
from sites.import_export.tables import write_table

MOST_IN_A_FILE = 2_000
First = TypeVar("First")
Second = TypeVar("Second")


@staff.get("/batches.csv")
@needs(Action.BOOKS)
def batches_csv() -> AnyResponse:
    """The books of the batches that the list shows, for a spreadsheet."""
    with services().make_session.begin() as db:
        found = find_batches(db, query_of(MOST_IN_A_FILE), current_staff().authority)
        books = books_of(db, found)
        table = _table(_book_columns(), [(one, books.get(one.id, Books())) for one in found])
        audit.books_exported(db, batches=len(found), actor=current_staff().actor, now=services().clock())
    return csv_file(table, "batches.csv")


@staff.get("/batches/<int(max=2147483647):batch_id>/passes.csv")
@needs(Action.BOOKS)
def batch_csv(batch_id: int) -> AnyResponse:
    """Every pass of a batch and what became of it. No codes: nobody has them."""
    now = services().clock()
    with services().make_session.begin() as db:
        found = find_or_hide(db, batch_id)
        passes = passes_of(db, batch_id, now=now)
        table = _table(_pass_columns(), passes)
        audit.batch_exported(db, found, passes=len(passes), actor=current_staff().actor, now=now)
    return csv_file(table, f"batch-{batch_id}.csv")


def _book_columns() -> dict[str, Callable[[Batch, Books], Cell]]:
    """The books' headings in the language of this request, and what stands below each."""
    return {
        say("Batch"): lambda batch, _: batch.id,
        say("Issued"): lambda batch, _: _moment(batch.issued_at),
        say("Issued by"): lambda batch, _: batch.issued_by,
        say("Desk"): lambda batch, _: desk_name(batch.desk_site) if batch.desk_site else "",
        say("Kind"): lambda batch, _: plan_name(batch.plan),
        say("Event"): lambda batch, _: batch.event,
        say("Note"): lambda batch, _: batch.note,
        say("First use from"): lambda batch, _: _moment(batch.starts_at),
        say("Suspended since"): lambda batch, _: _moment(batch.suspended_at),
        say("Printed"): lambda _, book: book.printed,
        say("Used"): lambda _, book: book.used,
        say("Void"): lambda _, book: book.void,
        say("Expired"): lambda _, book: book.expired,
        say("Left"): lambda _, book: book.left,
    }


def _pass_columns() -> dict[str, Callable[[Voucher, str], Cell]]:
    """The same for the passes of a batch, each with its state."""
    return {
        say("Number"): lambda voucher, _: voucher.mark,
        say("State"): lambda _, state: pass_state_in_words(state),
        say("Issued on"): lambda voucher, _: _moment(voucher.issued_at),
        say("First used"): lambda voucher, _: _moment(voucher.used_at),
        say("Good until"): lambda voucher, _: _moment(voucher.until),
        say("Written off on"): lambda voucher, _: _moment(voucher.voided_at),
        say("Reason"): lambda voucher, _: (
            void_reason_in_words(voucher.void_reason) if voucher.void_reason else ""
        ),
        say("Written off by"): lambda voucher, _: voucher.voided_by or "",
    }


def _table(
    columns: dict[str, Callable[[First, Second], Cell]], lines: Iterable[tuple[First, Second]]
) -> bytes:
    """CSV as a French Excel opens it by double click."""
    rows = ({name: cell(*line) for name, cell in columns.items()} for line in lines)
    return write_table(list(columns), rows, excel=True)


def _moment(at: datetime | None) -> str:
    """An instant on the town's clock, in the one form that every spreadsheet takes for a time and sorts."""
    return at.astimezone(town_zone()).strftime("%Y-%m-%d %H:%M") if at else ""
