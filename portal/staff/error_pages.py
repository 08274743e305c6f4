"""A page of its own for what was denied on the staff's pages."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.api_tokens.errors import SentBefore
from auth.denials import Denial
from portal.denials.rendering import staff_page
from portal.staff import staff


@staff.errorhandler(Denial)
def denied(error: Denial) -> Response:
    """The page for a denial that no view has shown beside its form."""
    refusal = staff_page(error)
    response = make_response(render_template("staff/error.html", refusal=refusal), refusal.status)
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


@staff.errorhandler(SentBefore)
def led_before(error: SentBefore) -> AnyResponse:
    """A form that was carried out before leads where it led then; a page that shows something once says so."""
    if not error.place:
        return denied(error)
    mark = "&" if "?" in error.place else "?"
    return redirect(f"{error.place}{mark}again=1", HTTPStatus.SEE_OTHER)
