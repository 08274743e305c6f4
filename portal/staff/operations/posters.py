"""The poster for the door of a gateway's place, as a PDF."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import abort, make_response
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, covers
from db.engine import reading
from portal.printing.posters import PosterPaper, poster_of, print_poster
from portal.printing.tickets import UnprintableVoucher
from portal.printing.typesetter import FailedPrinting
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from sites.gateways import by_identity

log = logging.getLogger(__name__)


@staff.get("/gateways/<identity>/poster/<any(a4,a3):paper>")
@needs(Action.GATEWAYS)
def poster(identity: str, paper: str) -> AnyResponse:
    """For one of one's own networks; to somebody of another there is no gateway of that name."""
    service, authority = services(), current_staff().authority
    with reading(service.make_session) as db:
        gateway = by_identity(db, identity)
        if gateway is None or not covers(authority, gateway.network.slug):
            abort(HTTPStatus.NOT_FOUND)
        languages = service.settings.languages
        made = poster_of(db, gateway.site, gateway.network, settings=service.settings, languages=languages)
    try:
        content = print_poster(made, PosterPaper(paper))
    except UnprintableVoucher as error:
        log.warning("poster of %s not printed: %s", identity, error)
        raise FailedPrinting(str(error)) from error
    except FailedPrinting as error:
        log.warning("poster of %s not printed: %s", identity, error)
        raise
    response = make_response(content)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="wifi-{made.site.slug}-{paper}.pdf"'
    return response
