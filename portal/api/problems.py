"""Problems as RFC 9457 tells them: a type that programs know, a title, and a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from auth.api_tokens.scopes import Scope
from auth.denials import N_, DenialReason, declare
from portal.denials.rendering import problem_wait, problem_words
from portal.i18n.translation import language

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:problem-type:arobase:"
# The parameters of `WWW-Authenticate` (RFC 6750 section 3).
REALM = 'Bearer realm="arobase"'


_ASK_ANEW = N_("Ask an administrator of the wifi for a new one.")

NO_KEY = declare(
    "no_idempotency_key",
    HTTPStatus.BAD_REQUEST,
    N_("The header Idempotency-Key is missing, or is not one."),
    N_("Send 1 to 128 visible ASCII characters, other ones for each order, the same ones when you retry."),
)
NO_TOKEN = declare(
    "no_token",
    HTTPStatus.UNAUTHORIZED,
    N_("There is no token."),
    N_("Send the header Authorization: Bearer, followed by the token."),
)
INVALID_TOKEN = declare(
    "invalid_token",
    HTTPStatus.UNAUTHORIZED,
    N_("The token is not good here."),
    N_("Send it as it was shown, whole and unchanged, to the installation that made it."),
)
EXPIRED_TOKEN = declare("expired_token", HTTPStatus.UNAUTHORIZED, N_("The token is too old."), _ASK_ANEW)
REVOKED_TOKEN = declare("revoked_token", HTTPStatus.UNAUTHORIZED, N_("The token was revoked."), _ASK_ANEW)
NO_SCOPE = declare(
    "no_scope",
    HTTPStatus.FORBIDDEN,
    N_("The token is not for this."),
    N_("Ask an administrator of the wifi for one with the scope that this needs."),
)
USED = declare(
    "used",
    HTTPStatus.CONFLICT,
    N_("The pass was used."),
    N_("Only a pass that nobody has used can be voided. Revoke it to end its use."),
)
UNFIT = declare(
    "unfit",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    N_("The request does not fit."),
    N_("Correct the field that is named, and send it again."),
)
TOO_OFTEN = declare(
    "too_often",
    HTTPStatus.TOO_MANY_REQUESTS,
    N_("The token is used too often."),
    N_("Wait as many seconds as Retry-After says, then go on."),
)


@dataclass(eq=False)
class Problem(Exception):
    """A denied request. `advice` stands in for the reason's own sentence; `field` is what it is about."""

    reason: DenialReason
    advice: str | None = None
    field: str | None = None
    scope: Scope | None = None
    retry_after: int | None = None
    facts: Mapping[str, object] | None = None


def type_of(reason: DenialReason) -> str:
    """The problem's `type`, by which programs know it."""
    return TYPES + reason.problem_type


def answer(problem: Problem) -> Response:
    """The problem as a response, in the language that was asked for."""
    reason = problem.reason
    facts = problem.facts or {}
    title, advice = problem_words(reason, facts)
    members: dict[str, Any] = {
        "type": type_of(reason),
        "title": title,
        "status": reason.status.value,
        "detail": problem.advice or advice,
    }
    if problem.field is not None:
        members["field"] = problem.field
    response = jsonify(members)
    response.status_code = reason.status
    response.content_type = MEDIA_TYPE
    response.content_language.add(language())
    if (seconds := problem.retry_after or problem_wait(reason, facts)) is not None:
        response.headers["Retry-After"] = str(seconds)
    if reason.status is HTTPStatus.UNAUTHORIZED or reason is NO_SCOPE:
        response.headers["WWW-Authenticate"] = _challenge(problem)
    return response


def _challenge(problem: Problem) -> str:
    if problem.reason is NO_TOKEN:
        return REALM
    if problem.reason is NO_SCOPE:
        return f'{REALM}, error="insufficient_scope", scope="{problem.scope}"'
    return f'{REALM}, error="invalid_token"'
