"""At the desk: gateways whose rate limit for wrong codes is reached, and the button that clears it."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from auth.vouchers import rate_limits
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.vouchers.pages import closed_gateways


@staff.post("/desk/codes")
@needs(Action.ISSUE)
def hear_codes_again() -> AnyResponse:
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        rate_limits.open_again(db, closed_gateways(db), actor=me.actor, now=service.clock())
    return redirect(url_for("staff.desk"), HTTPStatus.SEE_OTHER)
