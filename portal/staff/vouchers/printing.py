"""From the codes on the page to paper: seen first, if wished, and printed."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import Refusal, staff_page
from portal.printing.papers import Paper
from portal.printing.tickets import PrintedVoucher
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.vouchers import print_choices
from portal.staff.vouchers.errors import UnfitChoice, Unprinted
from portal.staff.vouchers.new_codes import NewVouchers, Preview, new_codes_page, shown_by, tickets_of
from portal.staff.vouchers.pages import answer_id
from portal.staff.vouchers.preferences import keep
from portal.staff.vouchers.print_choices import Choices, chosen_fields, habits_after
from portal.staff.vouchers.printed import record_print
from portal.staff.vouchers.voucher_words import ESCPOS, cut_in_words


@staff.get("/desk/issued/<int(max=2147483647):answer_id>")
@needs(Action.ISSUE)
def issued(answer_id: int) -> AnyResponse:
    """The passes that a form made; with choices in the address, a picture of what the print button will print."""
    shown = _shown(answer_id)
    return _previewed(shown) if "paper" in request.args else _page(shown)


@staff.post("/desk/preview")
@needs(Action.ISSUE)
def preview_slips() -> AnyResponse:
    """To the same page with the choices in its address, so that going back and forward asks for nothing again."""
    chosen: dict[str, Any] = dict(chosen_fields(request.form))
    place = url_for("staff.issued", answer_id=answer_id(), **{"paper": Paper.A4.value, **chosen})
    return redirect(place, HTTPStatus.SEE_OTHER)


@staff.post("/desk/print")
@needs(Action.ISSUE)
def print_slips() -> AnyResponse:
    """The tickets of the page that was posted, as PDF or as bytes for a receipt printer."""
    shown = _shown(answer_id())
    title = f"Pass wifi {shown.batch.id}"
    try:
        choices = print_choices.read(request.form)
        with print_choices.pressing(shown.batch.id):
            document = print_choices.print_tickets(_tickets(shown, choices), choices, title=title)
    except (UnfitChoice, Unprinted) as error:
        return _page(shown, typed=request.form, refusal=staff_page(error))
    record_print(shown, choices)
    return _remembered(_file(document, choices, f"pass-{shown.batch.id}"), choices)


def _previewed(shown: NewVouchers) -> AnyResponse:
    try:
        choices = print_choices.read(request.args)
        with print_choices.pressing(shown.batch.id):
            tickets = _tickets(shown, choices)
            svg = print_choices.preview(tickets, choices)
    except (UnfitChoice, Unprinted) as error:
        return _page(shown, typed=request.args, refusal=staff_page(error))
    fit = print_choices.fit_of(tickets, choices)
    preview = Preview(svg, choices.paper, choices.pages(len(tickets), roomy=fit.roomy), cut_in_words(fit.cut))
    return _remembered(_page(shown, typed=request.args, preview=preview), choices)


def _shown(answer_id: int) -> NewVouchers:
    with reading(services().make_session) as db:
        return shown_by(db, answer_id)


def _tickets(shown: NewVouchers, choices: Choices) -> list[PrintedVoucher]:
    """No connection is held while the press works."""
    with reading(services().make_session) as db:
        return tickets_of(db, shown, choices.languages)


def _page(
    shown: NewVouchers,
    *,
    typed: Mapping[str, str] | None = None,
    preview: Preview | None = None,
    refusal: Refusal | None = None,
) -> AnyResponse:
    with reading(services().make_session) as db:
        return new_codes_page(db, shown, typed=typed, preview=preview, refusal=refusal)


def _remembered(response: AnyResponse, choices: Choices) -> AnyResponse:
    return keep(response, habits_after(choices))


def _file(content: bytes, choices: Choices, name: str) -> Response:
    response = make_response(content)
    is_pdf = choices.paper != ESCPOS
    response.headers["Content-Type"] = "application/pdf" if is_pdf else "application/octet-stream"
    manner = f'inline; filename="{name}.pdf"' if is_pdf else f'attachment; filename="{name}.bin"'
    response.headers["Content-Disposition"] = manner
    return response
