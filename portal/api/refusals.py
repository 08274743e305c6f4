"""From an exception to a problem document (RFC 9457)."""

from __future__ import annotations

import logging

from flask import Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from auth.vouchers.errors import EndedPlan, NoDayBetween
from db.troubles import trouble_of
from portal.api import api
from portal.api.problems import UNFIT, Problem, answer
from portal.api.shapes import ShapeFault
from portal.denials.portal_reasons import Busy, Unexpected, denial_of, of_status
from portal.i18n.translation import say
from portal.services import services

log = logging.getLogger(__name__)


@api.errorhandler(Exception)
def refused(error: Exception) -> Response:
    """The answer for anything that was raised on the way."""
    problem = problem_of(error)
    if (trouble := trouble_of(error)) is not None:
        services().troubles.tell(trouble)
    if problem.reason is Unexpected.reason:
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
            return Problem(UNFIT, error.advice, error.field)
        case EndedPlan():
            # A program sent the day in a field of its own.
            return Problem(UNFIT, say("These passes would be over already. Choose a later day."), "/last_day")
        case NoDayBetween():
            return Problem(UNFIT, say("The first day is after the last one: compare the two."), "/first_day")
        case OperationalError() | PoolTimeout():
            return Problem(Busy.reason)
        case HTTPException():
            return Problem(of_status(error.code))
        case _:
            denial = denial_of(error)
            return Problem(denial.reason, facts=denial.facts)
