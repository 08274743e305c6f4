"""Help: every page that this person has, what it is for, and the keys that lead there."""

from __future__ import annotations

from flask import make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from portal.staff import staff
from portal.staff.access import needs


@staff.get("/help")
@needs(Action.OWN_ACCOUNT)
def help() -> AnyResponse:
    return make_response(render_template("staff/help.html"))
