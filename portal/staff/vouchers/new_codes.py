"""The page that shows new codes: to read aloud, for the visitor's camera, to preview and to print.

Codes are kept nowhere. They are drawn again for the browser of the sign-in that made them, as long as it lasts: a page
loaded again, a step back and forward, a printer that jams an hour later lose nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from flask import abort, make_response, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import reprints
from auth.api_tokens import form_results
from auth.vouchers import codes
from auth.vouchers.issuing import IssuedVoucher as Issued
from auth.vouchers.models import Batch
from auth.vouchers.scope import desks, find_batch, network_for
from portal.denials.rendering import Refusal
from portal.i18n.catalogues import name_of
from portal.printing.from_networks import logo_of
from portal.printing.from_vouchers import slips
from portal.printing.papers import Paper
from portal.printing.tickets import PrintedVoucher
from portal.printing.wifi_qr import joining_uri
from portal.services import services, town_zone
from portal.staff.access import current_staff
from portal.staff.forms import FormerCodes
from portal.staff.login import browser
from portal.staff.vouchers import print_choices
from portal.staff.vouchers.errors import NothingToReprint, Unprinted
from portal.staff.vouchers.network_printers import Progress, printers_here, progress_of
from portal.staff.vouchers.plan_words import end_in_words
from portal.staff.vouchers.preferences import desk_preferences
from portal.staff.vouchers.voucher_words import ESCPOS, papers
from sites.models import Network, Site
from sites.queries import site_by_slug


@dataclass(frozen=True, slots=True)
class NewVouchers:
    """New passes of one batch, by the form that made them, or the unused ones of an earlier one (`is_reprint`).

    `replaces` is the mark of a pass that died for this one.
    """

    answer_id: int
    batch: Batch
    tickets: tuple[Issued, ...]
    replaces: str | None = None
    is_reprint: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """The first page of the print, as a picture; `pages` is how many there will be, `cut` what is not whole on it."""

    svg: str
    paper: str
    pages: int
    cut: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"

    @property
    def is_narrow(self) -> bool:
        """Whether it is a receipt, which stands upright and small; else a sheet."""
        return self.paper in (Paper.RECEIPT, ESCPOS)


def new_codes_page(
    db: Session,
    shown: NewVouchers,
    *,
    typed: Mapping[str, str] | None = None,
    preview: Preview | None = None,
    refusal: Refusal | None = None,
    to: str = "",
    progress: Progress | None = None,
) -> AnyResponse:
    """The page for these passes. `typed` fills the form where it was sent before; else the browser's habits do.
    `progress` is how far a printer on the network has come; None where it stands in the address, if at all."""
    batch, first = shown.batch, shown.tickets[0]
    site = site_by_slug(db, batch.desk_site)
    place = _place(db, batch)
    page = render_template(
        "staff/issued.html",
        refusal=refusal,
        batch=batch,
        shown=[(ticket.mark, codes.show(ticket.code)) for ticket in shown.tickets],
        redeem_url=redeem_url(first.code),
        ssid=place[1].ssid if place else "",
        join=joining_uri(place[1].ssid) if place else "",
        answer_id=shown.answer_id,
        site=site,
        replaces=shown.replaces,
        is_reprint=shown.is_reprint,
        to=to,
        printers=printers_here(db, batch),
        progress=progress or progress_of(db, shown.batch, [one.mark for one in shown.tickets], request.args),
        mail_result=request.args.get("mail", ""),
        mails=services().settings.smtp is not None,
        end=end_in_words(
            batch.plan,
            batch.ends_at,
            site.zone if site else town_zone().key,
            starts_at=batch.starts_at,
        ),
        typed=print_choices.shown(desk_preferences()) if typed is None else typed,
        tongues={code: name_of(code) for code in services().settings.languages},
        preview=preview,
        paper_name=dict(papers()).get(preview.paper, "") if preview else "",
    )
    response = make_response(page, refusal.status if refusal else HTTPStatus.OK)
    response.headers["Cache-Control"] = "no-store"
    return response


def redeem_url(code: str) -> str:
    """The address in a ticket's QR: in capitals, so that its squares are larger."""
    return f"{services().settings.portal_url}/pass/{code}".upper()


def shown_by(db: Session, answer_id: int) -> NewVouchers:
    """The passes that a form of this sign-in made, drawn again. Raises `FormerCodes` for those of any other, and
    `NothingToReprint` where the day of an earlier batch is over or all of it is used."""
    here = browser()
    answer = form_results.find(db, answer_id, session_id=here.row_id or 0)
    if answer is None or answer.batch_id is None:
        raise FormerCodes
    batch = find_batch(db, answer.batch_id, current_staff().authority)
    if batch is None:
        abort(HTTPStatus.NOT_FOUND)
    service, keys = services(), services().voucher_keys
    if answer.count == 0:
        # A form that opened the codes of an earlier batch again.
        sealer, now = service.encrypted_tokens, service.clock()
        left = reprints.unused(db, batch.id, sealer=sealer, keys=keys, now=now)
        if not left:
            raise NothingToReprint
        return NewVouchers(answer.id, batch, left, is_reprint=True)
    batch, tickets = form_results.passes_of(db, answer, token=here.token, keys=keys)
    return NewVouchers(answer.id, batch, tickets, answer.replaces)


def tickets_of(db: Session, shown: NewVouchers, languages: tuple[str, ...]) -> list[PrintedVoucher]:
    """What to print for these passes. Raises `Unprinted` where they hold nowhere that this person works for."""
    place = _place(db, shown.batch)
    if place is None:
        raise Unprinted
    site, network = place
    return slips(
        shown.tickets,
        batch=shown.batch,
        network=network,
        site=site,
        portal_url=services().settings.portal_url,
        languages=languages,
        logo=logo_of(db, network, languages[0]),
    )


def _place(db: Session, batch: Batch) -> tuple[Site, Network] | None:
    """The desk that issued the batch, else one of this person's, and the network there that its plan holds on."""
    mine = desks(db, current_staff().authority)
    issuing = [site for site in mine if site.slug == batch.desk_site]
    for site in issuing or mine:
        if network := network_for(batch.plan, site, current_staff().authority):
            return site, network
    return None
