"""A page of its own for what was denied or went wrong on the staff's pages, with the menu for whoever is signed in."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.api_tokens.errors import SentBefore
from auth.denials import Denial
from portal.denials.rendering import Refusal, staff_page
from portal.staff import staff
from portal.staff.login import me

log = logging.getLogger(__name__)

# The frame with the menu, and the one that asks nothing of the database.
WITH_MENU, BARE = "staff/layout.html", "staff/bare.html"


@staff.errorhandler(Denial)
def denied(error: Denial) -> Response:
    """The page for a denial that no view has shown beside its form."""
    return error_page(staff_page(error))


def error_page(refusal: Refusal) -> Response:
    """The page for `refusal`. It stands without the menu where that cannot be made: what the menu asks the database may
    be the very thing that failed, and a database that is busy or away (503) is not asked again."""
    page = None
    if refusal.status is not HTTPStatus.SERVICE_UNAVAILABLE:
        page = _with_menu(refusal)
    response = make_response(page or _render(refusal, BARE), refusal.status)
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _with_menu(refusal: Refusal) -> str | None:
    try:
        return _render(refusal, WITH_MENU) if me() is not None else None
    except Exception as error:
        log.warning("an error page stands without its menu: %s", error, exc_info=True)
        return None


def _render(refusal: Refusal, frame: str) -> str:
    return render_template("staff/error.html", refusal=refusal, frame=frame)


@staff.errorhandler(SentBefore)
def led_before(error: SentBefore) -> AnyResponse:
    """A form that was carried out before leads where it led then; a page that shows something once says so."""
    if not error.place:
        return denied(error)
    mark = "&" if "?" in error.place else "?"
    return redirect(f"{error.place}{mark}again=1", HTTPStatus.SEE_OTHER)
