"""From what went wrong to the problem that a program is told."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from auth.api_tokens.idempotency import DifferentRequest, ForgottenCodes
from auth.vouchers.errors import EndedPlan, ImprudentBatch, Irreplaceable
from portal.api import api
from portal.api.problems import Kind, Problem, answer
from portal.api.shapes import ShapeFault
from portal.i18n.translation import say

log = logging.getLogger(__name__)
BY_STATUS = {
    HTTPStatus.FORBIDDEN: Kind.FOREIGN_PAGE,
    HTTPStatus.NOT_FOUND: Kind.UNKNOWN,
    HTTPStatus.METHOD_NOT_ALLOWED: Kind.WRONG_METHOD,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Kind.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Kind.NOT_JSON,
}
WAIT_SECONDS = 5


@api.errorhandler(Exception)
def refused(error: Exception) -> Response:
    """The answer for anything that was raised on the way."""
    problem = problem_of(error)
    if problem.kind is Kind.BROKEN:
        log.error("a program's request failed", exc_info=error)
    response = answer(problem)
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
    return response


def problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case ShapeFault():
            return Problem(Kind.UNFIT, error.advice, error.field)
        case EndedPlan():
            return Problem(
                Kind.UNFIT, say("These passes would be over already. Choose a later day."), "/last_day"
            )
        case ImprudentBatch():
            return Problem(Kind.IMPRUDENT)
        case Irreplaceable():
            return Problem(Kind.OVER)
        case DifferentRequest():
            return Problem(Kind.OTHER_REQUEST)
        case ForgottenCodes():
            number = error.batch_id
            return Problem(
                Kind.FORGOTTEN,
                say("Void batch %(number)s, and order anew with another Idempotency-Key.", number=number),
            )
        case OperationalError() | PoolTimeout():
            return Problem(Kind.BUSY, retry_after=WAIT_SECONDS)
        case HTTPException():
            status = HTTPStatus(error.code or 500)
            return Problem(BY_STATUS.get(status, Kind.UNREADABLE))
        case _:
            return Problem(Kind.BROKEN)
