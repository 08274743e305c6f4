"""The OpenAPI description and the real answers agree: every documented answer is got here, and is as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from auth.api_tokens import service
from auth.api_tokens.scopes import Scope
from auth.models import Attempt
from portal.api.access import MOST_A_MINUTE
from portal.services import Services
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.api.conftest import HERE, MINE, Program, give_token
from tests.portal.conftest import Phone
from tests.portal.visitors import use

Documented = tuple[str, str, str]
JSON = {"Content-Type": "application/json"}
AS_JSON: dict[str, Any] = {"headers": JSON}
RECORD = "/records/{kind}/{key}"


def described(program: Program) -> dict[str, Any]:
    result: dict[str, Any] = program.get("/openapi.json").get_json()
    return result


def operations(result: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation: its path, its method, what is said of it."""
    for path, methods in result["paths"].items():
        for method, one in methods.items():
            yield path, method.upper(), one


def check(result: dict[str, Any], path: str, method: str, answer: TestResponse) -> Documented:
    """That an answer is as documented: status, media type, headers, and every field of its body."""
    documented = result["paths"][path][method.lower()]["responses"]
    status = str(answer.status_code)
    assert status in documented, f"{method} {path} answered {status}: {answer.text}"
    [(media_type, content)] = documented[status]["content"].items()
    assert answer.mimetype == media_type
    for name, header in documented[status].get("headers", {}).items():
        assert name in answer.headers, f"{method} {path} {status}: {name}"
        Draft202012Validator(header["schema"]).validate(answer.headers[name])
    schema = {**content["schema"], "components": result["components"]}
    told = answer.get_json() if "json" in media_type else answer.text
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
    if int(status) >= 400:
        assert len(answer.get_json()["detail"]) > 15
    return path, method, status


def test_it_is_openapi_3_1_and_anybody_may_read_it(tickets: Program) -> None:
    tickets.token = ""
    result = described(tickets)
    assert result["openapi"].startswith("3.1.")
    validate(result)


def test_every_example_fits_its_schema(tickets: Program) -> None:
    schemas = described(tickets)["components"]["schemas"]
    for name in ("Order", "Void", "RecordCells"):
        [example] = schemas[name]["examples"]
        Draft202012Validator(schemas[name]).validate(example)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_documented_answer_is_given_and_as_documented(
    app: Flask,
    services: Services,
    tickets: Program,
    reader: Phone,
    clock: MovingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = described(tickets)
    wanted = {
        (path, method, status) for path, method, one in operations(result) for status in one["responses"]
    }
    got = {check(result, *one) for one in good_answers(tickets)}
    got |= {check(result, *one) for one in refusals_of_what_was_sent(tickets, reader, clock)}
    for path, method, one in operations(result):
        if one["security"]:
            got |= {
                check(result, path, method, answer)
                for answer in refusals_of_tokens(app, services, path, method)
            }
    got |= {check(result, *one) for one in busy_answers(result, tickets, monkeypatch)}
    assert wanted - got == set()


def filled(path: str, batch: int = 1, mark: str = "1-1") -> str:
    return path.format(batch_id=batch, mark=mark, kind="sites", key=HERE)


def order(tickets: Program, **fields: object) -> tuple[int, str, str]:
    """A new batch's number, and mark and code of its first pass."""
    one = tickets.order(**fields).get_json()  # type: ignore[arg-type]
    return one["batch"]["batch"], one["passes"][0]["mark"], one["passes"][0]["code"]


def good_answers(tickets: Program) -> Iterator[tuple[str, str, TestResponse]]:
    yield "/openapi.json", "GET", tickets.get("/openapi.json")
    yield "/plans", "GET", tickets.get("/plans")
    yield "/batches", "POST", tickets.order(2, event="Salon", last_day="2026-12-01")
    yield "/batches", "GET", tickets.get("/batches?most=1")
    for action in ("void", "replace", "revoke"):
        _, mark, _ = order(tickets)
        body = {"reason": "lost"} if action == "void" else None
        yield f"/passes/{{mark}}/{action}", "POST", tickets.post(f"/passes/{mark}/{action}", body)
        yield "/passes/{mark}", "GET", tickets.get(f"/passes/{mark}")
    for action in ("void", "revoke"):
        number, _, _ = order(tickets)
        yield f"/batches/{{batch_id}}/{action}", "POST", tickets.post(f"/batches/{number}/{action}")
        yield "/batches/{batch_id}", "GET", tickets.get(f"/batches/{number}")
    yield "/records/{kind}", "GET", tickets.get("/records/sites")
    yield "/records/{kind}/csv", "GET", tickets.get("/records/networks/csv")
    yield RECORD, "PUT", tickets.ask("PUT", filled(RECORD), json={"cells": {"contact": "Ines"}})


def refusals_of_what_was_sent(
    tickets: Program, reader: Phone, clock: MovingClock
) -> Iterator[tuple[str, str, TestResponse]]:
    yield "/batches", "GET", tickets.get("/batches?most=0")
    for path in ("/batches", "/passes/{mark}/void"):
        _, mark, _ = order(tickets)
        where = filled(path, mark=mark)
        key = {"Idempotency-Key": "k-1"}
        yield path, "POST", tickets.ask("POST", where, data=b"{", headers={**JSON, **key})
        yield path, "POST", tickets.ask("POST", where, data=b"x" * 17_000, headers={**JSON, **key})
        yield (
            path,
            "POST",
            tickets.ask("POST", where, data=b"{}", headers={"Content-Type": "text/plain", **key}),
        )
        yield path, "POST", tickets.post(where, {"colour": "red"})
    for body in ({"data": b"{", **AS_JSON}, {"data": b"x" * 300_000, **AS_JSON}, {"data": b"{}"}):
        yield RECORD, "PUT", tickets.ask("PUT", filled(RECORD), **body)
    for cells in ([], {"latitude": "north"}):
        yield RECORD, "PUT", tickets.ask("PUT", filled(RECORD), json={"cells": cells})
    for path in ("/records/{kind}", "/records/{kind}/csv"):
        yield path, "GET", tickets.get(path.format(kind="moons"))
    yield RECORD, "PUT", tickets.ask("PUT", "/records/moons/one", json={"cells": {}})
    yield "/batches", "POST", tickets.order(key=" ")
    tickets.order(key="one")
    yield "/batches", "POST", tickets.order(2, key="one")
    for path in ("/batches/{batch_id}", "/passes/{mark}"):
        yield path, "GET", tickets.get(filled(path, 999, "999-1"))
    for path in ("/batches/{batch_id}/void", "/batches/{batch_id}/revoke"):
        yield path, "POST", tickets.post(filled(path, 999))
    for action in ("void", "replace", "revoke"):
        path = f"/passes/{{mark}}/{action}"
        yield path, "POST", tickets.post(filled(path, mark="999-1"), {})
        _, mark, code = order(tickets)
        if action == "replace":
            yield path, "POST", tickets.post(filled(path, mark=mark), key=" ")
            yield path, "POST", tickets.post(filled(path, mark=mark), key="one")
        use(reader, code)
        if action == "void":
            closed = {"cells": {"state": "closed"}}
            yield RECORD, "PUT", tickets.ask("PUT", filled(RECORD), json=closed)
        if action != "void":
            clock.advance(days=1)
        yield path, "POST", tickets.post(filled(path, mark=mark), {})
        clock.advance(days=1)
    yield "/batches", "POST", tickets.order(key="one")


def refusals_of_tokens(app: Flask, services: Services, path: str, method: str) -> Iterator[TestResponse]:
    """401, 403 and 429, for any operation that needs a token."""
    where = filled(path)
    for token in ("", "x"):
        yield Program(app, token).ask(method, where)
    name = f"{method}-{path}".lower().translate({ord(sign): "-" for sign in "/{}_"})[-30:].strip("-")
    useful = {Scope.READ} if method == "POST" else {Scope.ISSUE}
    made = give_token(services, f"p{name}", *useful, networks=(MINE,))
    program = Program(app, made.token)
    yield program.ask(method, where, json={})
    minute = int(services.clock().timestamp()) // 60
    with services.make_session.begin() as db:
        db.merge(Attempt(key=f"api:{made.row.id}:{minute}", count=MOST_A_MINUTE, last_at=services.clock()))
    yield program.ask(method, where, json={})
    with services.make_session.begin() as db:
        assert service.revoke(db, made.row, actor=TESTER, now=services.clock())
    yield program.ask(method, where)


def busy_answers(
    result: dict[str, Any], tickets: Program, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, TestResponse]]:
    """503, where the database does not let us write."""

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("another writer does not end"))

    monkeypatch.setattr("portal.api.access.rate_limits.take", locked)
    for path, method, one in operations(result):
        if one["security"]:
            body = {"plan": "day", "desk": HERE} if path == "/batches" else {}
            kwargs = {"json": body} if method == "POST" else {}
            yield (
                path,
                method,
                tickets.ask(method, filled(path), headers={"Idempotency-Key": "busy"}, **kwargs),
            )
