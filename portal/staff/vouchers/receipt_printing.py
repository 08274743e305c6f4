"""From the codes on the page to a receipt printer on the network. Nothing of a code is kept on the way.

A printer takes a second or two for a ticket, and a worker of ours waits for none longer than a few: what is left of a
batch then is printed by the next press of the button, which a browser with script presses by itself.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.models import StaffAnswer
from auth.staff.roles import Action
from auth.vouchers import audit
from db.engine import reading
from portal.denials.rendering import Refusal, staff_page
from portal.printing.receipts import NarrowPaper, receipts
from portal.printing.tickets import PrintedVoucher
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.vouchers.errors import StoppedPrinter, UnfitChoice, Unprinted
from portal.staff.vouchers.network_printers import AFTER, PRINTER, Progress, progress_of, send
from portal.staff.vouchers.new_codes import NewVouchers, new_codes_page, shown_by, tickets_of
from portal.staff.vouchers.pages import answer_id
from portal.staff.vouchers.preferences import desk_preferences, keep
from portal.staff.vouchers.print_choices import pressing, read_languages
from sites.printers import Printer


@staff.post("/desk/receipts")
@needs(Action.ISSUE)
def print_receipts() -> AnyResponse:
    """The tickets of the page that was posted, those after the one named, on a printer of the desk. It is on record."""
    service = services()
    with reading(service.make_session) as db:
        shown = shown_by(db, answer_id())
        begun = _progress(shown)
        if begun is None:
            abort(HTTPStatus.NOT_FOUND)
        waiting = replace(shown, tickets=shown.tickets[begun.done :])
    try:
        languages = read_languages(request.form)
        with reading(service.make_session) as db:
            tickets = tickets_of(db, waiting, languages) if begun.left else []
        with pressing(shown.batch.id):
            content = _receipts(tickets, begun.printer)
    except (UnfitChoice, Unprinted) as error:
        return _page(shown, begun, staff_page(error))
    with service.make_session.begin() as db:
        sending = use_form(db, place=_place(shown, begun)).id
    delivery = send(content, begun.printer)
    ended = _after(shown, begun, delivery.count)
    with service.make_session.begin() as db:
        db.get_one(StaffAnswer, sending).place = _place(shown, ended)
        if delivery.count:
            audit.tickets_printed(
                db,
                shown.batch,
                count=delivery.count,
                paper=f"printer {begun.printer.slug}",
                languages=languages,
                actor=current_staff().actor,
                now=service.clock(),
            )
    if delivery.fault is not None:
        return _page(shown, ended, staff_page(StoppedPrinter(delivery.fault, begun.printer.name)))
    return keep(
        redirect(_place(shown, ended), HTTPStatus.SEE_OTHER),
        replace(desk_preferences(), languages=languages),
    )


def _receipts(tickets: list[PrintedVoucher], printer: Printer) -> list[bytes]:
    try:
        return receipts(tickets, paper_mm=printer.paper_mm) if tickets else []
    except NarrowPaper as error:
        raise UnfitChoice("narrow") from error


def _progress(shown: NewVouchers) -> Progress | None:
    with reading(services().make_session) as db:
        return progress_of(db, shown.batch, [one.mark for one in shown.tickets], request.form)


def _after(shown: NewVouchers, begun: Progress, count: int) -> Progress:
    done = begun.done + count
    after = shown.tickets[done - 1].mark if done else ""
    return Progress(begun.printer, done, len(shown.tickets) - done, after)


def _place(shown: NewVouchers, progress: Progress) -> str:
    """The page of the codes, and how far the printer has come."""
    said = {PRINTER: progress.printer.slug, AFTER: progress.after or None}
    return url_for("staff.issued", answer_id=shown.answer_id, **said)  # type: ignore[arg-type]


def _page(shown: NewVouchers, progress: Progress, refusal: Refusal) -> AnyResponse:
    with reading(services().make_session) as db:
        return new_codes_page(db, shown, typed=request.form, refusal=refusal, progress=progress)
