"""The way in: to the overview, for a clerk who has the desk alone to the desk, for a teacher to the classes."""

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
    alone = {frozenset({Role.DESK}): "staff.desk", frozenset({Role.SCHOOL}): "staff.classes"}
    first = alone.get(current_staff().authority.roles, "staff.overview")
    return redirect(url_for(first), HTTPStatus.SEE_OTHER)
