"""Errors as pages: what happened, what to do, never a trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from sqlalchemy.exc import InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from auth.denials import Denial, DenialReason
from db.troubles import trouble_of
from portal.denials.incidents import is_written_down, note
from portal.denials.portal_reasons import Unexpected, denial_of, of_status
from portal.denials.rendering import NOTHING, facts_to_keep, page
from portal.http.security_headers import is_api, is_staff_page
from portal.services import services

log = logging.getLogger(__name__)


def init_errors(app: Flask) -> None:
    """Show denials and errors of `app` as pages, to gateways as JSON, to programs as problems (RFC 9457)."""
    # What PostgreSQL says of a database that cannot be written to is an `InternalError`.
    for kind in (Denial, OperationalError, InternalError, PoolTimeout):
        app.register_error_handler(kind, _denied)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _denied(error: Exception) -> Response:
    denial = denial_of(error)
    if isinstance(denial, Unexpected):
        return _unexpected(error)
    if (trouble := trouble_of(error)) is not None:
        services().troubles.tell(trouble)
    if _is_for_gateways():
        return _told_to_gateways(denial.reason.status, type(error).__name__)
    return _page(denial.reason, denial.facts)


def _http(error: HTTPException) -> Response:
    if is_api():
        # Imported with the operations, where these are served.
        from portal.api.refusals import refused

        return refused(error)
    status = HTTPStatus(error.code or 500)
    if _is_for_gateways():
        return _told_to_gateways(status, error.description)
    onward = services().settings.own_url + "/" if status is HTTPStatus.MISDIRECTED_REQUEST else None
    response = _page(of_status(status), status=status, onward=onward)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.exception("a request failed")
    if _is_for_gateways():
        return _told_to_gateways(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the portal")
    return _page(Unexpected.reason, Unexpected(type(error).__name__).facts)


def _is_for_gateways() -> bool:
    return request.path.startswith("/gateways/") or not {"guests", "staff"} & set(current_app.blueprints)


def _told_to_gateways(status: HTTPStatus, reason: str | None) -> Response:
    return make_response(jsonify(error=reason), status)


def _page(reason: DenialReason, facts: Mapping[str, object] = NOTHING, **changes: Any) -> Response:
    """The page for a denial, with its incident where it is one that is written down."""
    refusal, of_staff = replace(page(reason, facts), **changes), is_staff_page()
    if reason.incident is not None and not of_staff and is_written_down():
        refusal = replace(refusal, incident=note(reason, **facts_to_keep(reason, facts)))
    if of_staff:
        # Imported with the staff's pages, where these are served.
        from portal.staff.error_pages import error_page

        return error_page(refusal)
    response = make_response(render_template("guests/error.html", refusal=refusal), refusal.status)
    if refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
