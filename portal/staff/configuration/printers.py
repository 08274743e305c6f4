"""A receipt printer on its record: a trial receipt, before a desk relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.models import StaffAnswer
from auth.staff.roles import Action
from auth.vouchers import audit
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.i18n.translation import say
from portal.printing.receipt_printers import Fault
from portal.printing.receipts import print_text
from portal.records.printers import PRINTER_PAGES
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.configuration import record
from portal.staff.forms import use_form
from portal.staff.vouchers.errors import StoppedPrinter
from portal.staff.vouchers.network_printers import send
from sites.printers import by_slug

# What a trial has come to, in the address of the record: one of `Fault`, or this.
PRINTED = "printed"
LETTERS = "àâäçéèêëîïôöùûüÿœæ ÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ « » ’ €"


@staff.post("/records/printers/<key>/try")
@needs(Action.PRINTERS, town_wide=True)
def printers_try(key: str) -> AnyResponse:
    """Print a receipt with every letter of French on it. It is on record."""
    service = services()
    with reading(service.make_session) as db:
        printer = by_slug(db, key)
    if printer is None:
        abort(HTTPStatus.NOT_FOUND)
    with service.make_session.begin() as db:
        trying = use_form(db, place=url_for("staff.printers_record", key=key)).id
        audit.printer_tried(db, key, actor=current_staff().actor, now=service.clock())
    lines = (printer.name, say("This is a trial: no pass stands on it."), LETTERS)
    delivery = send([print_text(lines, paper_mm=printer.paper_mm)], printer)
    place = url_for("staff.printers_record", key=key, tried=delivery.fault or PRINTED)
    with service.make_session.begin() as db:
        db.get_one(StaffAnswer, trying).place = place
    return redirect(place, HTTPStatus.SEE_OTHER)


def _more(cells: Mapping[str, str]) -> dict[str, object]:
    """What the last trial has come to."""
    tried = request.args.get("tried", "")
    fault = StoppedPrinter(tried, cells.get("name", "")) if tried in set(Fault) else None
    return {"printed": tried == PRINTED, "stopped": staff_page(fault) if fault else None}


record.EXTRAS[PRINTER_PAGES.slug] = ("staff/configuration/printer.html", _more)
