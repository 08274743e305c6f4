"""At the desk: codes that were typed wrong so often that nobody is heard, and the button that ends the waiting."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, covers
from auth.vouchers import rate_limits
from auth.vouchers.scope import desks
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from sites.models import Gateway


@staff.post("/desk/codes")
@needs(Action.ISSUE)
def hear_codes_again() -> AnyResponse:
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        rate_limits.open_again(db, closed_gateways(db), actor=me.actor, now=service.clock())
    return redirect(url_for("staff.desk"), HTTPStatus.SEE_OTHER)


def closed_gateways(db: Session) -> list[Gateway]:
    """The gateways of this person's desks behind which somebody must wait before another code is looked up."""
    sites = {site.slug for site in desks(db, current_staff().authority)}
    now = services().clock()
    return [
        gateway
        for gateway in services().places.gateways()
        if gateway.site.slug in sites
        and covers(current_staff().authority, gateway.network.slug)
        and rate_limits.is_closed(db, gateway=gateway.identity, site=gateway.site.slug, now=now)
    ]
