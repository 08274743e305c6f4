"""A ticket system in front of the API: the real application, and tokens of every kind."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from auth.api_tokens import service
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import Scope
from auth.api_tokens.service import TokenRequest
from portal.services import Services
from tests.actors import person
from tests.portal.conftest import PORTAL
from tests.town import Town

MINE, OTHER = "bibliotheques", "other-town"
HERE, AWAY = "pierre-bayle", "away"


@dataclass
class Program:
    """A ticket system. It asks in English, sends JSON, and chooses a new key for each order unless it is told one."""

    app: Flask
    token: str
    row: ApiToken | None = None
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: object = None, *, key: str | None = None, **headers: str) -> TestResponse:
        key = key or f"order-{next(self._numbers)}"
        kwargs = {} if body is None else {"json": body}
        return self.ask("POST", path, headers={"Idempotency-Key": key, **headers}, **kwargs)

    def order(self, count: int = 1, *, key: str | None = None, **fields: object) -> TestResponse:
        return self.post("/batches", {"plan": "day", "desk": HERE, "count": count, **fields}, key=key)

    def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> TestResponse:
        sent = {"Accept-Language": "en", "Authorization": f"Bearer {self.token}", **(headers or {})}
        where = path if path.startswith("/api/") else f"/api/v1{path}"
        return self.app.test_client(use_cookies=False).open(
            where, method=method, base_url=PORTAL, headers=sent, **kwargs
        )


def give_token(
    services: Services, name: str = "tickets", *scopes: Scope, networks: tuple[str, ...] = (), days: int = 365
) -> service.MadeToken:
    wish = TokenRequest(name, frozenset(scopes or Scope), frozenset(networks), timedelta(days=days))
    with services.make_session.begin() as db:
        return service.make(
            db,
            tokens=services.tokens,
            issuer=services.settings.portal_url,
            wish=wish,
            actor=person("dana"),
            now=services.clock(),
        )


@pytest.fixture
def tickets(app: Flask, services: Services, two_towns: Town) -> Program:
    """The ticket system of the library: every scope, on the library's network."""
    made = give_token(services, "tickets", networks=(MINE,))
    return Program(app, made.token, made.row)


@pytest.fixture
def stranger(app: Flask, services: Services, two_towns: Town) -> Program:
    """The ticket system of the other town."""
    made = give_token(services, "stranger", networks=(OTHER,))
    return Program(app, made.token, made.row)
