"""How a route of the API declares itself, once: to Flask, to the check of scopes, and to the OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from flask import Response

from auth.api_tokens.errors import DifferentRequest, ForgottenCodes
from auth.api_tokens.scopes import Scope
from auth.denials import DenialReason
from portal.api import api
from portal.api.problems import (
    EXPIRED_TOKEN,
    INVALID_TOKEN,
    NO_KEY,
    NO_SCOPE,
    NO_TOKEN,
    REVOKED_TOKEN,
    TOO_OFTEN,
    UNFIT,
    type_of,
)
from portal.api.shapes import Body, Shape
from portal.denials.portal_reasons import (
    FOREIGN_FORM,
    NOT_JSON,
    TOO_LARGE,
    UNKNOWN,
    UNREADABLE,
    WRONG_METHOD,
    Busy,
    Unexpected,
)

View = TypeVar("View", bound=Callable[..., Response])
# What may happen to any request that needs a token.
WITH_TOKEN = (
    NO_TOKEN,
    INVALID_TOKEN,
    EXPIRED_TOKEN,
    REVOKED_TOKEN,
    NO_SCOPE,
    TOO_OFTEN,
    Busy.reason,
)
WITH_BODY = (UNREADABLE, TOO_LARGE, NOT_JSON, UNFIT)
# What may happen to any request at all.
ALWAYS = (FOREIGN_FORM, UNKNOWN, WRONG_METHOD, Unexpected.reason)
WITH_KEY = (NO_KEY, DifferentRequest.reason, ForgottenCodes.reason)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `scope` None: anybody may ask."""

    method: str
    path: str
    scope: Scope | None
    summary: str
    gives: str
    status: HTTPStatus = HTTPStatus.OK
    takes: Body | None = None
    asks: Mapping[str, Shape] = field(default_factory=dict)
    # Made once, however often it is asked: the request needs an Idempotency-Key.
    once: bool = False
    problems: tuple[DenialReason, ...] = ()
    # What the answer is, and how many octets a request may have where that is more than of others.
    media: str = "application/json"
    largest: int | None = None

    @property
    def refuses(self) -> tuple[DenialReason, ...]:
        """Every problem that this operation may answer with."""
        reasons = [*self.problems]
        reasons += WITH_TOKEN if self.scope is not None else ()
        reasons += WITH_BODY if self.takes is not None else ()
        reasons += WITH_KEY if self.once else ()
        reasons += [UNFIT] if self.asks else []
        return in_order(reasons)


def in_order(reasons: Iterable[DenialReason]) -> tuple[DenialReason, ...]:
    """Each once, by status and type."""
    return tuple(
        sorted({one.code: one for one in reasons}.values(), key=lambda one: (one.status, type_of(one)))
    )


# By endpoint: "api.issue_passes".
OPERATIONS: dict[str, Operation] = {}


def serve(declared: Operation) -> Callable[[View], View]:
    """Serve a view as `declared` says; its path is in Flask's words, under /api/v1."""

    def at(view: View) -> View:
        OPERATIONS[f"{api.name}.{view.__name__}"] = declared
        api.add_url_rule(
            declared.path,
            view.__name__,
            view,
            methods=[declared.method],
            provide_automatic_options=False,
        )
        return view

    return at
