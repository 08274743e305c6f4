"""The first page of staff: what this person can do here. A clerk who has the desk alone is at it already."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action, Role
from portal.staff import staff
from portal.staff.access import current_staff, needs


@staff.get("/")
@needs(Action.OWN_ACCOUNT)
def home() -> AnyResponse:
    if current_staff().authority.roles == {Role.DESK}:
        return redirect(url_for("staff.desk"), HTTPStatus.SEE_OTHER)
    return make_response(render_template("staff/home.html"))
