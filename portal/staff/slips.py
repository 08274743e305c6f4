"""From codes to paper. Codes are kept nowhere: the page that shows them holds them, sealed, for a quarter of an hour,
so that the same tab can print what it shows."""

from __future__ import annotations

import logging
from datetime import timedelta
from http import HTTPStatus

from flask import Response, abort, make_response, request
from flask import session as browser_session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import trail
from auth.staff_desk import desks, find_batch, home_network, network_for
from auth.staff_policy import Action
from auth.tokens import InvalidToken
from auth.voucher_batches import Ticket as Issued
from auth.voucher_models import Batch
from db.engine import reading
from portal.printing.papers import Paper, UnfitPaper
from portal.printing.receipts import print_escpos
from portal.printing.sheets import print_pdf
from portal.printing.tickets import OversizedPrint, Ticket, UnprintableTicket
from portal.printing.typesetter import BusyPress, FailedPrinting
from portal.services import services
from portal.slips import slips
from portal.staff import staff
from portal.staff.access import needs, whoever
from portal.staff.desk_errors import Unprinted
from portal.staff.forms import ForeignForm
from portal.staff.login import browser
from portal.staff.pass_words import ESCPOS
from sites.models import Network, Site

log = logging.getLogger(__name__)
PURPOSE = "staff slips"
LIFE = timedelta(minutes=15)


def redeem_url(code: str) -> str:
    """The address in a ticket's QR: in capitals, so that its squares are larger."""
    return f"{services().settings.portal_url}/pass/{code}".upper()


def seal(batch: Batch, issued: tuple[Issued, ...]) -> str:
    """The codes of a page for its own print button."""
    service = services()
    passes = [(one.code, one.mark) for one in issued]
    claims = {"batch": batch.id, "passes": passes, "for": browser().binding}
    return service.tokens.seal(PURPOSE, claims, now=service.clock(), life=LIFE)


@staff.post("/desk/print")
@needs(Action.ISSUE)
def print_slips() -> AnyResponse:
    """The tickets of the page that was posted, as PDF or as bytes for a receipt printer."""
    service = services()
    batch_id, issued = _unseal()
    with reading(service.make_session) as db:
        batch = find_batch(db, batch_id, whoever().authority)
        if batch is None:
            abort(HTTPStatus.NOT_FOUND)
        tickets = _tickets(db, batch, issued)
    document = _document(tickets, batch)
    browser_session["paper"] = request.form.get("paper", "")[:20]
    with service.make_session.begin() as db:
        trail.record(
            db,
            actor=whoever().login,
            action="slips printed",
            object=f"batch:{batch.id}",
            network=home_network(db, batch, whoever().authority),
            detail={"count": len(tickets), "paper": request.form.get("paper", "")[:20]},
            now=service.clock(),
        )
    return document


def _unseal() -> tuple[int, tuple[Issued, ...]]:
    """The batch's id, and its passes as they were shown."""
    service = services()
    try:
        claims = service.tokens.unseal(PURPOSE, request.form.get("slips", ""), now=service.clock())
    except InvalidToken as error:
        raise ForeignForm from error
    if claims["for"] != browser().binding:
        raise ForeignForm
    return int(claims["batch"]), tuple(Issued(code, mark) for code, mark in claims["passes"])


def _tickets(db: Session, batch: Batch, issued: tuple[Issued, ...]) -> list[Ticket]:
    site, network = _place(db, batch)
    return slips(issued, batch=batch, network=network, site=site, portal_url=services().settings.portal_url)


def _place(db: Session, batch: Batch) -> tuple[Site, Network]:
    """The desk that issued the batch, else one of this person's, and the network there that its plan holds on."""
    mine = desks(db, whoever().authority)
    issuing = [site for site in mine if site.slug == batch.desk_site]
    for site in issuing or mine:
        if network := network_for(batch.plan, site, whoever().authority):
            return site, network
    raise Unprinted


def _document(tickets: list[Ticket], batch: Batch) -> Response:
    name = f"pass-{batch.id}"
    paper = request.form.get("paper", Paper.A4.value)
    try:
        if paper == ESCPOS:
            return _file(print_escpos(tickets), "application/octet-stream", f"{name}.bin", "attachment")
        pdf = print_pdf(
            tickets,
            paper=Paper(paper),
            first_free=int(request.form.get("first_free", "").strip() or "1") - 1,
            large="large" in request.form,
            title=f"Pass wifi {batch.id}",
        )
    except BusyPress as error:
        raise Unprinted(busy=True) from error
    except (ValueError, UnfitPaper, OversizedPrint, UnprintableTicket, FailedPrinting) as error:
        log.warning("slips of batch %d were not printed: %s", batch.id, error)
        raise Unprinted from error
    return _file(pdf, "application/pdf", f"{name}.pdf", "inline")


def _file(content: bytes, kind: str, name: str, manner: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'{manner}; filename="{name}"'
    return response
