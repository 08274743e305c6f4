"""The API described as OpenAPI 3.1, made from the declarations that its routes are made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from auth.api_tokens.scopes import Scope
from auth.denials import DenialReason
from portal.api.access import LARGEST_BODY, MOST_A_MINUTE
from portal.api.answers import SCHEMAS
from portal.api.declaring import ALWAYS, OPERATIONS, Operation, in_order, serve
from portal.api.problems import MEDIA_TYPE, type_of
from portal.services import services

VERSION = "1.0.0"
INTRODUCTION = f"""Passes for the wifi, for a program such as an event's ticket system.

Send the token as a bearer token. A token has scopes and networks; whatever belongs to other networks is as if it were
not there. At most {MOST_A_MINUTE} requests a minute and {LARGEST_BODY // 1024} KiB a request.

Codes of passes are told once, in the answer to the request that made them, and kept nowhere. Such a request carries an
Idempotency-Key: sent again with the same key and body within 24 hours it gives the same passes and issues no others;
later it is refused with 409, and issues no others either. A request that was refused leaves its key free.

Records are what the installation is made of: networks, places, gateways and more. A change is judged as on the staff's
pages, and stands in the record's history there under the token's name, where it can be undone.

Problems are told as RFC 9457, in French or English, as Accept-Language asks."""
_PARAMETER = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_TEXT_HEADER = {"type": "string"}


@serve(Operation("GET", "/openapi.json", scope=None, summary="This description", gives="OpenAPI"))
def openapi() -> Response:
    return jsonify(describe(services().settings.own_url))


def describe(own_url: str) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    bodies = {}
    for endpoint, declared in OPERATIONS.items():
        path = _PARAMETER.sub(lambda found: "{" + found["name"] + "}", declared.path)
        paths.setdefault(path, {})[declared.method.lower()] = _operation(endpoint, declared)
        if declared.takes is not None:
            bodies[declared.takes.name] = declared.takes.schema()
    return {
        "openapi": "3.1.0",
        "info": {"title": "Arobase: passes", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": f"{own_url}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, **bodies, "Problem": _problem_schema()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Made on the staff page of tokens or with `flask --app wsgi tokens add`. "
                    f"Scopes: {', '.join(Scope)}.",
                }
            },
        },
    }


def _operation(endpoint: str, declared: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": endpoint.partition(".")[2],
        "summary": declared.summary,
        "parameters": [*_parameters(declared)],
        "responses": _responses(declared),
        "security": [] if declared.scope is None else [{"token": [declared.scope.value]}],
    }
    if declared.takes is not None:
        schema = {"$ref": f"#/components/schemas/{declared.takes.name}"}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _parameters(declared: Operation) -> Iterator[dict[str, Any]]:
    for found in _PARAMETER.finditer(declared.path):
        schema: dict[str, Any] = {"type": "string"}
        if found["kind"] == "int":
            schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}
    for name, shape in declared.asks.items():
        yield {"name": name, "in": "query", "required": False, "schema": shape.schema()}
    if declared.once:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Chosen by the caller: another one for each order, the same one for a retry.",
            "schema": {"type": "string", "pattern": "^[!#-~]{1,128}$"},
        }


def _responses(declared: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {
        "description": declared.summary,
        "content": {
            declared.media: {"schema": {"$ref": f"#/components/schemas/{declared.gives}"}},
        },
    }
    if declared.once:
        replayed = {"type": "string", "enum": ["true", "false"]}
        good["headers"] = {
            "Location": {"schema": _TEXT_HEADER, "required": True},
            "Idempotency-Replayed": {"schema": replayed, "required": True},
        }
    described: dict[str, Any] = {str(declared.status.value): good}
    by_status: dict[HTTPStatus, list[DenialReason]] = {}
    for reason in declared.refuses:
        by_status.setdefault(reason.status, []).append(reason)
    for status, reasons in by_status.items():
        described[str(status.value)] = _refusal(status, reasons)
    return described


def _refusal(status: HTTPStatus, reasons: list[DenialReason]) -> dict[str, Any]:
    types = [type_of(reason) for reason in reasons]
    described: dict[str, Any] = {
        "description": f"{status.phrase}: {', '.join(types)}",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Problem"}],
                    "properties": {"type": {"enum": types}, "status": {"const": status.value}},
                }
            }
        },
    }
    named = {
        HTTPStatus.UNAUTHORIZED: "WWW-Authenticate",
        HTTPStatus.FORBIDDEN: "WWW-Authenticate",
        HTTPStatus.TOO_MANY_REQUESTS: "Retry-After",
        HTTPStatus.SERVICE_UNAVAILABLE: "Retry-After",
    }
    if status in named:
        described["headers"] = {named[status]: {"schema": _TEXT_HEADER, "required": True}}
    return described


def _problems() -> tuple[DenialReason, ...]:
    """Every problem that the API may answer with."""
    described = (reason for declared in OPERATIONS.values() for reason in declared.refuses)
    return in_order((*ALWAYS, *described))


def _problem_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457. `type` is for programs, `detail` says what to do, `field` what it is about.",
        "properties": {
            "type": {"type": "string", "enum": [type_of(reason) for reason in _problems()]},
            "title": {"type": "string", "minLength": 1},
            "status": {"type": "integer"},
            "detail": {"type": "string", "minLength": 1},
            "field": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    }
