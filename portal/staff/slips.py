"""From codes to paper. Codes are kept nowhere: the page that shows them holds them, sealed, for a quarter of an hour,
so that the same tab can print what it shows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import Response, abort, make_response, request
from flask import session as browser_session
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload
from werkzeug.wrappers import Response as AnyResponse

from auth import codes, trail
from auth.staff_desk import find_batch, home_network, pass_networks
from auth.staff_policy import Action
from auth.tokens import InvalidToken
from auth.voucher_batches import Ticket as Issued
from auth.voucher_models import Batch
from db.engine import reading
from portal.joining import joining_uri
from portal.printing.papers import Paper, UnfitPaper
from portal.printing.receipts import print_escpos
from portal.printing.sheets import print_pdf
from portal.printing.tickets import OversizedPrint, Ticket, UnprintableTicket
from portal.printing.typesetter import BusyPress, FailedPrinting
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs, whoever
from portal.staff.desk_errors import Unprinted
from portal.staff.forms import ForeignForm
from portal.staff.login import browser
from portal.staff.pass_words import ESCPOS
from portal.staff.plan_words import ends_by_language
from sites.models import Network, SigninMethod, Site

log = logging.getLogger(__name__)
PURPOSE = "staff slips"
LIFE = timedelta(minutes=15)
ZONE = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Slips:
    """What a page has to print: a batch, and codes that are shown only there."""

    batch_id: int
    codes: tuple[str, ...]


def redeem_url(code: str) -> str:
    """The address in a ticket's QR: in capitals, so that its squares are larger."""
    return f"{services().settings.portal_url}/pass/{code}".upper()


def seal(batch: Batch, issued: tuple[Issued, ...]) -> str:
    """The codes of a page for its own print button."""
    service = services()
    claims = {"batch": batch.id, "codes": [one.code for one in issued], "for": browser().binding}
    return service.tokens.seal(PURPOSE, claims, now=service.clock(), life=LIFE)


@staff.post("/desk/print")
@needs(Action.ISSUE)
def print_slips() -> AnyResponse:
    """The tickets of the page that was posted, as PDF or as bytes for a receipt printer."""
    slips, service = _unseal(), services()
    with reading(service.make_session) as db:
        batch = find_batch(db, slips.batch_id, whoever().authority)
        if batch is None:
            abort(HTTPStatus.NOT_FOUND)
        tickets = _tickets(db, batch, slips.codes)
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


def _unseal() -> Slips:
    service = services()
    try:
        claims = service.tokens.unseal(PURPOSE, request.form.get("slips", ""), now=service.clock())
    except InvalidToken as error:
        raise ForeignForm from error
    if claims["for"] != browser().binding:
        raise ForeignForm
    return Slips(int(claims["batch"]), tuple(claims["codes"]))


def _tickets(db: Session, batch: Batch, drawn: tuple[str, ...]) -> list[Ticket]:
    site = db.scalar(select(Site).where(Site.slug == batch.desk_site).options(selectinload(Site.networks)))
    network = _network(db, site, batch)
    ends = ends_by_language(batch.plan, batch.ends_at, site.zone if site else ZONE)
    return [
        Ticket(
            code=codes.show(code),
            redeem_url=redeem_url(code),
            ssid=network.ssid,
            join=joining_uri(network.ssid),
            ends=ends,
            place=site.name if site else services().settings.town,
            note=batch.event or batch.note,
        )
        for code in drawn
    ]


def _network(db: Session, site: Site | None, batch: Batch) -> Network:
    """The network whose name the ticket tells: one of the desk's that the plan holds on."""
    authority = whoever().authority
    here = pass_networks(site, authority) if site else []
    everywhere = db.scalars(select(Network).order_by(Network.slug)).all()
    for network in (*here, *everywhere):
        if network.allows(SigninMethod.PASS) and network.slug in (batch.plan.networks or [network.slug]):
            return network
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
