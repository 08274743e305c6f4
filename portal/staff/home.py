"""The way in: to the overview, or for a clerk who has the desk alone to the desk."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, Role
from portal.staff import staff
from portal.staff.access import current_staff, needs


@staff.get("/")
@needs(Action.OWN_ACCOUNT)
def home() -> AnyResponse:
    is_clerk = current_staff().authority.roles == {Role.DESK}
    return redirect(url_for("staff.desk" if is_clerk else "staff.overview"), HTTPStatus.SEE_OTHER)
