"""Errors as pages: what happened, what to do, never a trace."""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from sqlalchemy.exc import InternalError
from werkzeug.exceptions import HTTPException

from db.troubles import trouble_of
from portal.api.problems import is_api
from portal.api.refusals import refused as told_to_programs
from portal.denials.incidents import detail_of, is_written_down, note, rule_of
from portal.guest.refusals import REFUSED, Refusal, refusal_of
from portal.http.security_headers import is_staff_page
from portal.i18n.translation import say
from portal.services import services
from sessions.log.denials import Rule

log = logging.getLogger(__name__)


def init_errors(app: Flask) -> None:
    """Show refusals and errors of `app` as pages, to gateways as JSON, to programs as problems (RFC 9457)."""
    for kind in REFUSED:
        app.register_error_handler(kind, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: Exception) -> Response:
    if isinstance(error, InternalError) and trouble_of(error) is None:
        return _unexpected(error)
    if (trouble := trouble_of(error)) is not None:
        services().troubles.tell(trouble)
    if _is_for_gateways():
        return _told_to_gateways(refusal_of(error, zone="Europe/Paris").status, type(error).__name__)
    # Where nothing can be written, the refusal cannot be written down either.
    rule = rule_of(error) if trouble is None else None
    return _page(refusal_of(error, zone="Europe/Paris"), rule, **detail_of(error))


def _http(error: HTTPException) -> Response:
    if is_api():
        return told_to_programs(error)
    status = HTTPStatus(error.code or 500)
    if _is_for_gateways():
        return _told_to_gateways(status, error.description)
    title, text = _words(status)
    onward = services().settings.own_url + "/" if status is HTTPStatus.MISDIRECTED_REQUEST else None
    refusal = Refusal(status, title, text, onward=onward)
    # No page, or no such method: nobody was refused anything, and we keep no addresses of pages.
    response = _page(refusal, Rule.FOREIGN_FORM if error.code == 403 else None)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _words(status: HTTPStatus) -> tuple[str, str]:
    match status:
        case HTTPStatus.NOT_FOUND:
            return say("There is no such page."), say("Begin again at the start.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return say("That is not done by a link."), say("Use the button on the page.")
        case HTTPStatus.FORBIDDEN:
            return say("This page did not come from here."), say("Begin again with the button.")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return say("That is too large for this form."), say("Send less, or in several parts.")
        case HTTPStatus.MISDIRECTED_REQUEST:
            return say("The portal has another address."), say("Go on with the button.")
        case _:
            return say("That request could not be read."), say("Begin again at the start.")


def _unexpected(error: Exception) -> Response:
    log.exception("a request failed")
    if _is_for_gateways():
        return _told_to_gateways(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the portal")
    refusal = Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        say("Something went wrong on our side."),
        say("Nothing is lost. Try again in a few seconds."),
    )
    return _page(refusal, Rule.FAULT, **detail_of(error))


def _is_for_gateways() -> bool:
    return request.path.startswith("/gateways/") or not {"guests", "staff"} & set(current_app.blueprints)


def _told_to_gateways(status: HTTPStatus, reason: str | None) -> Response:
    return make_response(jsonify(error=reason), status)


def _page(refusal: Refusal, rule: Rule | None, **detail: Any) -> Response:
    of_staff = is_staff_page()
    if rule is not None and not of_staff and is_written_down():
        refusal = replace(refusal, incident=note(rule, **detail))
    template = "staff/error.html" if of_staff else "guests/error.html"
    response = make_response(render_template(template, refusal=refusal), refusal.status)
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
