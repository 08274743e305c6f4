"""How a route of the API declares itself, once: to Flask, to the check of scopes, and to the OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from flask import Response

from auth.api_tokens.scopes import Scope
from portal.api import api
from portal.api.problems import Kind
from portal.api.shapes import Body, Shape

View = TypeVar("View", bound=Callable[..., Response])
# What may happen to any request that needs a token.
WITH_TOKEN = (
    Kind.NO_TOKEN,
    Kind.INVALID_TOKEN,
    Kind.EXPIRED_TOKEN,
    Kind.REVOKED_TOKEN,
    Kind.NO_SCOPE,
    Kind.TOO_OFTEN,
    Kind.BUSY,
)
WITH_BODY = (Kind.UNREADABLE, Kind.TOO_LARGE, Kind.NOT_JSON, Kind.UNFIT)
WITH_KEY = (Kind.NO_KEY, Kind.OTHER_REQUEST, Kind.FORGOTTEN)


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
    problems: tuple[Kind, ...] = ()

    @property
    def refuses(self) -> tuple[Kind, ...]:
        """Every problem that this operation may answer with."""
        kinds = [*self.problems]
        kinds += WITH_TOKEN if self.scope is not None else ()
        kinds += WITH_BODY if self.takes is not None else ()
        kinds += WITH_KEY if self.once else ()
        kinds += [Kind.UNFIT] if self.asks else []
        return tuple(kind for kind in Kind if kind in kinds)


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
