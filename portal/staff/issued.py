"""The page that shows new codes, once: to read aloud, for the visitor's camera, to preview and to print.

Codes are kept nowhere. The page holds them itself, sealed for this sign-in and for a quarter of an hour, so that it can
be shown again with a preview on it, and print what it shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import abort, make_response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import codes
from auth.staff_desk import desks, find_batch, network_for
from auth.tokens import InvalidToken
from auth.voucher_batches import Ticket as Issued
from auth.voucher_models import Batch
from portal.joining import joining_uri
from portal.printing.papers import Paper
from portal.printing.tickets import Ticket
from portal.refusals import Refusal
from portal.services import services
from portal.slips import slips
from portal.staff import printer
from portal.staff.access import whoever
from portal.staff.desk_errors import Unprinted
from portal.staff.forms import ForeignForm
from portal.staff.habits import habits
from portal.staff.login import browser
from portal.staff.pass_words import ESCPOS, TONGUES, papers
from portal.staff.plan_words import end_in_words
from sites.models import Network, Site

PURPOSE = "staff slips"
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Shown:
    """New passes of one batch, on the page that made them. `replaces` is the mark of a pass that died for this one."""

    batch: Batch
    tickets: tuple[Issued, ...]
    replaces: str | None = None


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


def issued_page(
    db: Session,
    shown: Shown,
    *,
    typed: Mapping[str, str] | None = None,
    preview: Preview | None = None,
    refusal: Refusal | None = None,
) -> AnyResponse:
    """The page for these passes. `typed` fills the form where it was sent before; else the browser's habits do."""
    batch, first = shown.batch, shown.tickets[0]
    site = db.scalar(select(Site).where(Site.slug == batch.desk_site))
    place = _place(db, batch)
    page = render_template(
        "staff/issued.html",
        refusal=refusal,
        batch=batch,
        shown=[(ticket.mark, codes.show(ticket.code)) for ticket in shown.tickets],
        redeem_url=redeem_url(first.code),
        ssid=place[1].ssid if place else "",
        join=joining_uri(place[1].ssid) if place else "",
        slips=seal(shown),
        site=site,
        replaces=shown.replaces,
        end=end_in_words(batch.plan, batch.ends_at, site.zone if site else "Europe/Paris"),
        typed=printer.shown(habits()) if typed is None else typed,
        tongues=TONGUES,
        preview=preview,
        paper_name=dict(papers()).get(preview.paper, "") if preview else "",
    )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def redeem_url(code: str) -> str:
    """The address in a ticket's QR: in capitals, so that its squares are larger."""
    return f"{services().settings.portal_url}/pass/{code}".upper()


def seal(shown: Shown) -> str:
    """The codes of a page for its own buttons."""
    service = services()
    passes = [(one.code, one.mark) for one in shown.tickets]
    claims = {"batch": shown.batch.id, "passes": passes, "for": browser().binding, "replaces": shown.replaces}
    return service.tokens.seal(PURPOSE, claims, now=service.clock(), life=LIFE)


def unseal(db: Session) -> Shown:
    """The passes of the page that was posted, as it showed them. Raises `ForeignForm`."""
    service = services()
    try:
        claims = service.tokens.unseal(PURPOSE, request.form.get("slips", ""), now=service.clock())
    except InvalidToken as error:
        raise ForeignForm from error
    if claims["for"] != browser().binding:
        raise ForeignForm
    batch = find_batch(db, int(claims["batch"]), whoever().authority)
    if batch is None:
        abort(HTTPStatus.NOT_FOUND)
    return Shown(batch, tuple(Issued(code, mark) for code, mark in claims["passes"]), claims["replaces"])


def tickets_of(db: Session, shown: Shown, languages: tuple[str, ...]) -> list[Ticket]:
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
    )


def _place(db: Session, batch: Batch) -> tuple[Site, Network] | None:
    """The desk that issued the batch, else one of this person's, and the network there that its plan holds on."""
    mine = desks(db, whoever().authority)
    issuing = [site for site in mine if site.slug == batch.desk_site]
    for site in issuing or mine:
        if network := network_for(batch.plan, site, whoever().authority):
            return site, network
    return None
