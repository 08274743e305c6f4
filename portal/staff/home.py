"""The first page of staff: what this person can do here."""

from __future__ import annotations

from flask import make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.staff_policy import Action
from portal.staff import staff
from portal.staff.access import needs


@staff.get("/")
@needs(Action.OWN_ACCOUNT)
def home() -> AnyResponse:
    return make_response(render_template("staff/home.html"))
