"""Who may ask for what: every operation declares its scope; one without is closed to all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

from flask import Response, abort, g, request
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.api_tokens import service as api_tokens
from auth.api_tokens.errors import RevokedToken
from auth.api_tokens.models import ApiToken
from auth.audit.actor import Actor
from auth.errors import TooManyAttempts
from auth.rate_limits import RateLimit
from auth.staff.roles import Authority
from auth.tokens import ExpiredToken, InvalidToken
from db.engine import async_commit, reading
from portal.api import api
from portal.api.declaring import OPERATIONS, Operation
from portal.api.problems import (
    EXPIRED_TOKEN,
    INVALID_TOKEN,
    NO_SCOPE,
    NO_TOKEN,
    REVOKED_TOKEN,
    TOO_OFTEN,
    Problem,
)
from portal.api.shapes import Body
from portal.denials.portal_reasons import NOT_JSON, UNREADABLE
from portal.services import services

LARGEST_BODY = 16 * 1024
MOST_A_MINUTE = 120
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Program:
    """Who is asking: the row of its token, and what only the token says."""

    row: ApiToken
    jti: str

    @property
    def actor(self) -> Actor:
        return self.row.actor

    @property
    def authority(self) -> Authority:
        return self.row.authority


@api.before_request
def admit() -> None:
    """Let this request in, or refuse it."""
    declared = OPERATIONS.get(request.endpoint or "")
    request.max_content_length = (declared and declared.largest) or LARGEST_BODY
    if declared is None:
        abort(HTTPStatus.FORBIDDEN)
    if declared.scope is None:
        return
    g.program = _program()
    _count(current_token().row)
    if not current_token().row.allows(declared.scope):
        raise Problem(NO_SCOPE, scope=declared.scope)


@api.after_request
def keep_nowhere(response: Response) -> Response:
    """No cache keeps an answer, whatever the view said."""
    response.headers["Cache-Control"] = "no-store"
    response.vary.update(["Authorization", "Accept-Language"])
    return response


def current_token() -> Program:
    """The program that `admit` has let in."""
    return cast(Program, g.program)


def wish() -> dict[str, Any]:
    """What the body asks for, in the operation's own shape. Raises `Problem` or `Fault`."""
    takes = _declared().takes
    assert takes is not None
    if request.mimetype != "application/json":
        raise Problem(NOT_JSON)
    return takes.read(read_json(request.get_data()))


def query() -> dict[str, Any]:
    """What the query asks for. Raises `Fault`."""
    given: dict[str, object] = {}
    for name, values in request.args.lists():
        given[name] = values[0] if len(values) == 1 else values
    return Body("Query", _declared().asks).read(given)


def read_json(octets: bytes) -> object:
    """One JSON value in UTF-8 (RFC 8259), with no name twice and no number that is none."""
    try:
        return json.loads(octets.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Problem(UNREADABLE) from error


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> object:
    raise ValueError(text)


def _declared() -> Operation:
    return OPERATIONS[request.endpoint or ""]


def _program() -> Program:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(NO_TOKEN)
    service = services()
    try:
        with reading(service.make_session) as db:
            row, jti = api_tokens.find(
                db,
                token.strip(),
                tokens=service.tokens,
                issuer=service.settings.portal_url,
                now=service.clock(),
            )
    except ExpiredToken as error:
        raise Problem(EXPIRED_TOKEN) from error
    except RevokedToken as error:
        raise Problem(REVOKED_TOKEN) from error
    except InvalidToken as error:
        raise Problem(INVALID_TOKEN) from error
    return Program(row, jti)


def _count(row: ApiToken) -> None:
    """Take one request from this minute's budget, shared by all workers, and remember that the token is in use."""
    service, now = services(), services().clock()
    minute, passed = divmod(now.timestamp(), MINUTE.total_seconds())
    budget = RateLimit(f"api:{row.id}:{minute:.0f}", most=MOST_A_MINUTE, window=MINUTE)

    def take(db: Session) -> None:
        rate_limits.take(db, budget, now=now)
        api_tokens.see(db, row, now=now)

    try:
        async_commit(service.make_session, take)
    except TooManyAttempts as error:
        left = int(MINUTE.total_seconds() - passed) + 1
        raise Problem(TOO_OFTEN, retry_after=left) from error
