"""Problems as RFC 9457 tells them: a type that programs know, a title, and a sentence that says what to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, current_app, jsonify, request

from auth.api_tokens.scopes import Scope
from portal.i18n.translation import language, say

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:problem-type:arobase:"
# The parameters of `WWW-Authenticate` (RFC 6750 section 3).
REALM = 'Bearer realm="arobase"'


class Kind(enum.Enum):
    """Every problem there is, by its name in `type` and its status."""

    UNREADABLE = ("unreadable", HTTPStatus.BAD_REQUEST)
    NO_KEY = ("no-idempotency-key", HTTPStatus.BAD_REQUEST)
    NO_TOKEN = ("no-token", HTTPStatus.UNAUTHORIZED)
    INVALID_TOKEN = ("invalid-token", HTTPStatus.UNAUTHORIZED)
    EXPIRED_TOKEN = ("expired-token", HTTPStatus.UNAUTHORIZED)
    REVOKED_TOKEN = ("revoked-token", HTTPStatus.UNAUTHORIZED)
    NO_SCOPE = ("no-scope", HTTPStatus.FORBIDDEN)
    FOREIGN_PAGE = ("foreign-page", HTTPStatus.FORBIDDEN)
    UNKNOWN = ("unknown", HTTPStatus.NOT_FOUND)
    WRONG_METHOD = ("wrong-method", HTTPStatus.METHOD_NOT_ALLOWED)
    IMPRUDENT = ("too-many-codes", HTTPStatus.CONFLICT)
    FORGOTTEN = ("forgotten-codes", HTTPStatus.CONFLICT)
    USED = ("used", HTTPStatus.CONFLICT)
    OVER = ("over", HTTPStatus.CONFLICT)
    TOO_LARGE = ("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    NOT_JSON = ("not-json", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    UNFIT = ("unfit", HTTPStatus.UNPROCESSABLE_ENTITY)
    OTHER_REQUEST = ("other-request", HTTPStatus.UNPROCESSABLE_ENTITY)
    TOO_OFTEN = ("too-often", HTTPStatus.TOO_MANY_REQUESTS)
    BROKEN = ("broken", HTTPStatus.INTERNAL_SERVER_ERROR)
    BUSY = ("busy", HTTPStatus.SERVICE_UNAVAILABLE)

    @property
    def type(self) -> str:
        return TYPES + str(self.value[0])

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus(self.value[1])


@dataclass(eq=False)
class Problem(Exception):
    """An answer that refuses. `advice` stands in for the kind's own sentence; `field` is what it is about."""

    kind: Kind
    advice: str | None = None
    field: str | None = None
    scope: Scope | None = None
    retry_after: int | None = None


def is_api() -> bool:
    """Whether the answer to this request is for a program, errors too."""
    return "api" in current_app.blueprints and request.path.startswith("/api/")


def answer(problem: Problem) -> Response:
    """The problem as a response, in the language that was asked for."""
    kind = problem.kind
    title, advice = words(kind)
    members: dict[str, Any] = {
        "type": kind.type,
        "title": title,
        "status": kind.status.value,
        "detail": problem.advice or advice,
    }
    if problem.field is not None:
        members["field"] = problem.field
    response = jsonify(members)
    response.status_code = kind.status
    response.content_type = MEDIA_TYPE
    response.content_language.add(language())
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    if kind.status is HTTPStatus.UNAUTHORIZED or kind is Kind.NO_SCOPE:
        response.headers["WWW-Authenticate"] = _challenge(problem)
    return response


def words(kind: Kind) -> tuple[str, str]:
    """What happened, and what to do."""
    return (_about_tokens() | _about_requests() | _about_passes())[kind]


def _challenge(problem: Problem) -> str:
    match problem.kind:
        case Kind.NO_TOKEN:
            return REALM
        case Kind.NO_SCOPE:
            return f'{REALM}, error="insufficient_scope", scope="{problem.scope}"'
        case _:
            return f'{REALM}, error="invalid_token"'


def _about_tokens() -> dict[Kind, tuple[str, str]]:
    ask_anew = say("Ask an administrator of the wifi for a new one.")
    return {
        Kind.NO_TOKEN: (
            say("There is no token."),
            say("Send the header Authorization: Bearer, followed by the token."),
        ),
        Kind.INVALID_TOKEN: (
            say("The token is not good here."),
            say("Send it as it was shown, whole and unchanged, to the installation that made it."),
        ),
        Kind.EXPIRED_TOKEN: (say("The token is too old."), ask_anew),
        Kind.REVOKED_TOKEN: (say("The token was revoked."), ask_anew),
        Kind.NO_SCOPE: (
            say("The token is not for this."),
            say("Ask an administrator of the wifi for one with the scope that this needs."),
        ),
        Kind.FOREIGN_PAGE: (
            say("This was sent by a page of another site."),
            say("Call from a program of yours, never from a visitor’s browser: the token would be seen."),
        ),
    }


def _about_requests() -> dict[Kind, tuple[str, str]]:
    return {
        Kind.UNREADABLE: (
            say("That request could not be read."),
            say("Send one JSON object in UTF-8, with each field once."),
        ),
        Kind.NO_KEY: (
            say("The header Idempotency-Key is missing, or is not one."),
            say(
                "Send 1 to 128 visible ASCII characters, other ones for each order, the same ones when you retry."
            ),
        ),
        Kind.UNKNOWN: (
            say("There is nothing of that kind."),
            say("Check the address; of other networks’ passes a token sees nothing."),
        ),
        Kind.WRONG_METHOD: (
            say("That is not done in this way."),
            say("Use one of the methods in the header Allow."),
        ),
        Kind.TOO_LARGE: (
            say("The request is too large."),
            say("Send less than 16 KiB; for more passes, send several requests."),
        ),
        Kind.NOT_JSON: (say("The request is not JSON."), say("Send it as Content-Type: application/json.")),
        Kind.UNFIT: (
            say("The request does not fit."),
            say("Correct the field that is named, and send it again."),
        ),
        Kind.OTHER_REQUEST: (
            say("This Idempotency-Key was used for something else."),
            say("Choose a new key for each order."),
        ),
        Kind.TOO_OFTEN: (
            say("The token is used too often."),
            say("Wait as many seconds as Retry-After says, then go on."),
        ),
        Kind.BROKEN: (
            say("Something went wrong on our side."),
            say("Send the same request again in a minute, with the same Idempotency-Key."),
        ),
        Kind.BUSY: (
            say("The database is busy."),
            say("Nothing was done. Send the same request again in a few seconds."),
        ),
    }


def _about_passes() -> dict[Kind, tuple[str, str]]:
    return {
        Kind.IMPRUDENT: (
            say("So many passes at once would make guessing pay."),
            say("Void what is left of old batches first, or ask for fewer."),
        ),
        Kind.FORGOTTEN: (
            say("This order was carried out, and its codes cannot be shown any more."),
            say("Void its batch, and order anew with another Idempotency-Key."),
        ),
        Kind.USED: (
            say("The pass was used."),
            say("Only a pass that nobody has used can be voided. Revoke it to end its use."),
        ),
        Kind.OVER: (
            say("The pass is void or over."),
            say("There is nothing left to replace or to revoke. Issue a new one."),
        ),
    }
