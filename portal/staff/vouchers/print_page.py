"""The page that prints itself: the sheet as it will be, and the browser's own print dialog over it at once.

Without script its button opens the same sheet as PDF. The pages are pictures of the very job that makes the PDF.
"""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import Refusal, staff_page
from portal.printing.papers import Paper
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.vouchers import print_choices
from portal.staff.vouchers.errors import UnfitChoice, Unprinted
from portal.staff.vouchers.new_codes import NewVouchers, new_codes_page, shown_by, tickets_of
from portal.staff.vouchers.pages import answer_id
from portal.staff.vouchers.preferences import keep
from portal.staff.vouchers.print_choices import chosen_fields, habits_after
from portal.staff.vouchers.printed import record_print
from portal.staff.vouchers.voucher_words import ESCPOS

# A picture of a page weighs a megabyte: what is longer is opened as PDF.
MOST_PAGES = 8


@staff.post("/desk/sheet")
@needs(Action.ISSUE)
def print_sheet() -> AnyResponse:
    """To the page that prints itself. What is no sheet of paper is the file that a receipt printer takes."""
    if request.form.get("paper") == ESCPOS:
        return redirect(url_for("staff.print_slips"), HTTPStatus.TEMPORARY_REDIRECT)
    chosen: dict[str, Any] = {"paper": Paper.A4.value, **chosen_fields(request.form)}
    return redirect(url_for("staff.sheet", answer_id=answer_id(), **chosen), HTTPStatus.SEE_OTHER)


@staff.get("/desk/issued/<int(max=2147483647):answer_id>/sheet")
@needs(Action.ISSUE)
def sheet(answer_id: int) -> AnyResponse:
    """The sheet of these passes, with the choices of the address. It is on record as printed."""
    with reading(services().make_session) as db:
        shown = shown_by(db, answer_id)
    try:
        choices = print_choices.read(request.args)
        if choices.paper == ESCPOS:
            return redirect(url_for("staff.issued", answer_id=answer_id), HTTPStatus.SEE_OTHER)
        with reading(services().make_session) as db:
            tickets = tickets_of(db, shown, choices.languages)
        fit = print_choices.fit_of(tickets, choices)
        count = choices.pages(len(tickets), roomy=fit.roomy)
        with print_choices.pressing(shown.batch.id):
            pages = print_choices.draw_pages(tickets, choices) if count <= MOST_PAGES else []
    except (UnfitChoice, Unprinted) as error:
        return _codes(shown, staff_page(error))
    if pages:
        record_print(shown, choices)
    page = render_template(
        "staff/sheet.html",
        answer_id=answer_id,
        batch=shown.batch,
        tickets=len(tickets),
        count=count,
        pages=[f"data:image/svg+xml;base64,{base64.b64encode(one.encode()).decode()}" for one in pages],
        size="{:g}x{:g}".format(*print_choices.page_size(choices, roomy=fit.roomy)),
        fields=chosen_fields(MultiDict(request.args)),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return keep(response, habits_after(choices))


def _codes(shown: NewVouchers, refusal: Refusal) -> AnyResponse:
    with reading(services().make_session) as db:
        return new_codes_page(db, shown, typed=request.args, refusal=refusal)
