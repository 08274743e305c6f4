"""Who gets in with what: tokens of every wrong kind, scopes, networks, rates."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from auth.api_tokens import service
from auth.api_tokens.errors import TakenName
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import Scope
from auth.api_tokens.service import PURPOSE
from auth.audit.log import AuditEntry
from auth.tokens import Tokens
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import Order
from auth.vouchers.models import Batch, Voucher
from config import Secret, Serves
from portal.api.declaring import OPERATIONS
from portal.app import create_app
from portal.services import Services
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.api.conftest import AWAY, HERE, MINE, OTHER, Program, give_token
from tests.portal.conftest import PORTAL, SECRET
from tests.portal.effects import TRAIL, changed_since, state


def result(program: Program, path: str = "/plans") -> tuple[int, str, str]:
    """Status, kind of problem and challenge."""
    answer = program.get(path)
    kind = (answer.get_json() or {}).get("type", "").rpartition(":")[2]
    return answer.status_code, kind, answer.headers.get("WWW-Authenticate", "")


# What the portal of these tests signs such tokens with.
KEY = hmac.digest(SECRET.encode(), b"arobase token " + PURPOSE.encode(), "sha256")
INVALID = (401, "invalid-token", 'Bearer realm="arobase", error="invalid_token"')


def claims_of(program: Program, services: Services) -> dict[str, Any]:
    return services.tokens.verify(
        PURPOSE, program.token, now=services.clock(), issuer=services.settings.portal_url
    )


def forge(claims: dict[str, Any], **how: Any) -> str:
    """A token as somebody would make it who knows everything but what `how` changes."""
    key, headers = how.pop("key", KEY), {"typ": None, **how.pop("headers", {})}
    return jwt.encode(claims, key, headers=headers, **{"algorithm": "HS256", **how})


def test_a_good_token_gets_in(tickets: Program) -> None:
    assert result(tickets) == (200, "", "")


def test_nobody_gets_in_without_a_token(tickets: Program) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc"):
        answer = tickets.get("/plans", Authorization=header)
        assert answer.status_code == 401
        assert answer.get_json()["type"].endswith(":no-token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="arobase"'


def test_a_token_in_the_address_or_a_cookie_is_no_token(tickets: Program) -> None:
    assert (
        tickets.ask("GET", f"/plans?access_token={tickets.token}", headers={"Authorization": ""}).status_code
        == 401
    )
    cookie = {"Authorization": "", "Cookie": f"arobase-staff={tickets.token}; token={tickets.token}"}
    assert tickets.get("/plans", **cookie).status_code == 401


def test_garbage_is_no_token(tickets: Program) -> None:
    for token in ("x", "a.b.c", "é" * 40, "." * 5000, "null", "A" * 100_000):
        tickets.token = token
        assert result(tickets) == INVALID


def test_a_token_that_was_changed_is_refused(tickets: Program) -> None:
    head, body, signature = tickets.token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for place in range(0, len(raw), 7):
        changed = bytearray(raw)
        changed[place] ^= 1
        tickets.token = ".".join(
            [head, base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode(), signature]
        )
        assert result(tickets) == INVALID


def test_a_token_without_a_signature_is_refused(tickets: Program, services: Services) -> None:
    claims = claims_of(tickets, services)
    tickets.token = jwt.encode(claims, None, algorithm="none")
    assert result(tickets) == INVALID


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_a_token_signed_in_another_way_is_refused(tickets: Program, services: Services) -> None:
    """One algorithm, named by us: what the token says of itself decides nothing."""
    claims = claims_of(tickets, services)
    for algorithm in ("HS384", "HS512"):
        tickets.token = forge(claims, algorithm=algorithm, key=KEY * 2)
        assert result(tickets) == INVALID
        tickets.token = forge(claims, algorithm=algorithm, key=KEY)
        assert result(tickets) == INVALID


def test_a_token_with_a_claim_missing_is_refused(tickets: Program, services: Services) -> None:
    claims = claims_of(tickets, services)
    tickets.token = forge(claims)
    assert result(tickets) == (200, "", "")
    for missing in ("exp", "aud", "iss", "jti"):
        tickets.token = forge({name: claims[name] for name in claims if name != missing})
        assert result(tickets) == INVALID, missing


FOREIGN: list[dict[str, object]] = [
    {"aud": "visit"},
    {"aud": ["visit", "staff form"]},
    {"iss": "https://portal.example.org.evil.example"},
    {"iss": "https://portal.example"},
    {"iss": ""},
    {"exp": "soon"},
    {"exp": None},
]


def test_a_token_for_somebody_else_is_refused(tickets: Program, services: Services) -> None:
    good = claims_of(tickets, services)
    for change in FOREIGN:
        tickets.token = forge({**good, **change})
        assert result(tickets) == INVALID, change


def test_a_token_of_another_purpose_of_ours_is_refused(tickets: Program, services: Services) -> None:
    for purpose in ("visit", "browser", "staff form", "staff slips"):
        tickets.token = services.tokens.sign(
            purpose, {}, now=services.clock(), life=timedelta(hours=1), issuer=PORTAL
        )
        assert result(tickets) == INVALID


def test_a_token_of_another_installation_is_refused(tickets: Program, services: Services) -> None:
    other = Tokens(Secret(SECRET[::-1]))
    claims = claims_of(tickets, services)
    tickets.token = other.sign(
        PURPOSE, {}, now=services.clock(), life=timedelta(days=1), issuer=PORTAL, jti=claims["jti"]
    )
    assert result(tickets) == INVALID


def test_a_header_that_points_to_a_key_or_must_be_understood_is_refused(
    tickets: Program, services: Services
) -> None:
    claims = claims_of(tickets, services)
    tickets.token = forge(claims, headers={"crit": ["b64x"], "b64x": 1})
    assert result(tickets) == INVALID
    tickets.token = forge(claims, headers={"kid": "../../dev/null"}, key=b"\0" * 32)
    assert result(tickets) == INVALID


def test_a_token_that_no_row_knows_is_refused(tickets: Program, services: Services) -> None:
    tickets.token = forge({**claims_of(tickets, services), "jti": "never made"})
    assert result(tickets)[:2] == (401, "revoked-token")


def test_a_token_ends_on_its_day(tickets: Program, clock: MovingClock) -> None:
    clock.advance(days=364, hours=23, minutes=59)
    assert result(tickets)[0] == 200
    clock.advance(minutes=1)
    assert result(tickets)[:2] == (401, "expired-token")
    assert tickets.order().status_code == 401


def test_a_revoked_token_is_dead_at_once_at_every_worker(
    tickets: Program, services: Services, db: Session
) -> None:
    """Two applications over one database: nothing is remembered in either."""
    elsewhere = Program(create_app(services), tickets.token)
    assert result(tickets)[0] == result(elsewhere)[0] == 200
    with services.make_session.begin() as writing:
        row = service.by_name(writing, "tickets")
        assert row is not None
        assert service.revoke(writing, row, actor=TESTER, now=services.clock())
        assert not service.revoke(writing, row, actor=TESTER, now=services.clock())
    for program in (tickets, elsewhere):
        assert result(program)[:2] == (401, "revoked-token")
        assert program.order().status_code == 401
    assert db.scalar(select(func.count(Batch.id))) == 0


def test_a_token_is_used_120_times_a_minute_and_no_more(
    tickets: Program, stranger: Program, clock: MovingClock
) -> None:
    clock.advance(seconds=12)
    assert [tickets.get("/plans").status_code for _ in range(120)] == [200] * 120
    answer = tickets.get("/plans")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "49")
    assert tickets.order().status_code == 429
    assert result(stranger)[0] == 200
    clock.advance(seconds=48)
    assert result(tickets)[0] == 200


def test_a_page_of_another_site_can_do_nothing(tickets: Program, db: Session) -> None:
    """Nothing here hangs on a cookie, and a browser that says whose page it shows is refused as well."""
    answer = tickets.post(
        "/batches",
        {"plan": "day", "desk": HERE},
        **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, answer.get_json()["type"].rpartition(":")[2]) == (403, "foreign-page")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert tickets.ask("OPTIONS", "/batches").status_code == 405
    assert db.scalar(select(func.count(Batch.id))) == 0


def test_a_wrong_method_says_which_are_right(tickets: Program) -> None:
    answer = tickets.ask("DELETE", "/batches")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/nothing", "/batches/x", "/batches/99999999999", "/passes", "/api/v2/plans"]
)
def test_what_is_not_there_is_told_as_a_problem(tickets: Program, path: str) -> None:
    answer = tickets.get(path)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "mark", ["0-0", "1-0", "1", "-", "x-y", "1-1-1", "²-1", "9" * 17, "9999999999-9999999"]
)
def test_a_mark_that_no_pass_has_is_told(tickets: Program, mark: str) -> None:
    assert tickets.get(f"/passes/{mark}").status_code == 404


def test_problems_speak_the_language_that_is_asked_for(tickets: Program) -> None:
    tickets.token = ""
    french, english = (tickets.get("/plans", **{"Accept-Language": lang}) for lang in ("fr", "en"))
    assert french.get_json()["title"] == "Il n’y a pas de jeton."
    assert english.get_json()["title"] == "There is no token."
    assert (french.headers["Content-Language"], english.headers["Content-Language"]) == ("fr", "en")


def test_an_error_of_ours_tells_nothing_of_the_inside(
    tickets: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("portal.api.issuing.desks", fail)
    answer = tickets.get("/plans")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "inside" not in answer.text
    assert "the inside" in caplog.text


def test_it_is_served_with_the_staff_and_never_where_only_guests_are(
    services: Services, tickets: Program
) -> None:
    for serves, status in ((Serves.STAFF, 200), (Serves.GUESTS, 404), (Serves.ALL, 200)):
        app = create_app(replace(services, settings=replace(services.settings, serves=serves)))
        for path in ("/openapi.json", "/plans"):
            answer = Program(app, tickets.token).get(path)
            assert answer.status_code == status, (serves, path)


# Every operation with its scope, written by hand: one that is new, or that lost its scope, fails here.
TABLE: dict[str, Scope | None] = {
    "api.openapi": None,
    "api.list_plans": Scope.READ,
    "api.list_batches": Scope.READ,
    "api.read_batch": Scope.READ,
    "api.read_pass": Scope.READ,
    "api.issue_passes": Scope.ISSUE,
    "api.replace_pass": Scope.REPLACE,
    "api.void_pass": Scope.REVOKE,
    "api.void_batch": Scope.REVOKE,
    "api.revoke_pass": Scope.REVOKE,
    "api.revoke_batch": Scope.REVOKE,
    "api.read_records": Scope.READ_RECORDS,
    "api.read_table": Scope.READ_RECORDS,
    "api.put_record": Scope.WRITE_RECORDS,
}
# The parameters that name something of one network.
OWNED = {"batch_id", "mark", "key"}


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route of the API with each of its methods."""
    order = list(TABLE)
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api")]
    for rule in sorted(rules, key=lambda rule: order.index(rule.endpoint)):
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            yield rule, method


def make_batch(services: Services, site: str) -> dict[str, object]:
    """Three passes of a network; the parameters of routes that name them."""
    with services.make_session.begin() as db:
        order = Order(count=3, desk_site=site)
        plan = plans.by_slug(db, "day")
        made = issuing.issue(
            db, keys=services.voucher_keys, plan=plan, order=order, actor=TESTER, now=services.clock()
        )
    return {"batch_id": made.batch.id, "mark": made.tickets[0].mark, "kind": "sites", "key": site}


def ask(program: Program, rule: Rule, method: str, things: dict[str, object]) -> int:
    named = {name: things[name] for name in rule.arguments}
    _, path = rule.build(named) or ("", "")
    if method == "GET":
        return program.get(path).status_code
    if method == "PUT":
        return program.ask("PUT", path, json={"cells": {"contact": "Ines"}}).status_code
    body = {} if rule.endpoint == "api.void_pass" else {"plan": "day", "desk": HERE}
    return program.post(path, body).status_code


def test_every_route_declares_a_scope_and_stands_in_the_table(app: Flask) -> None:
    assert {rule.endpoint for rule, _ in routes(app)} == set(TABLE) == set(OPERATIONS)
    assert {endpoint: one.scope for endpoint, one in OPERATIONS.items()} == TABLE
    for rule, method in routes(app):
        assert OPERATIONS[rule.endpoint].method == method, rule.rule


@pytest.mark.usefixtures("own_app")
def test_a_route_that_declares_nothing_is_answered_to_nobody(app: Flask, tickets: Program) -> None:
    app._got_first_request = False
    app.add_url_rule("/api/v1/undeclared", "api.undeclared", lambda: "told")
    assert tickets.get("/undeclared").status_code == 403


# The tables that an operation may change; what is not here changes none.
PASSES = TRAIL | {"vouchers", "voucher_batches", "pass_requests"}
ENDING = {"access_sessions", "leases", "gateways"}
EFFECTS: dict[str, set[str]] = {
    "api.issue_passes": PASSES,
    "api.replace_pass": PASSES,
    "api.void_pass": PASSES,
    "api.revoke_pass": PASSES | ENDING,
    "api.void_batch": PASSES,
    "api.revoke_batch": PASSES | ENDING,
    "api.put_record": TRAIL | {"record_changes", "sites"},
}


@pytest.mark.parametrize("networks", [(MINE,), ()])
@pytest.mark.parametrize("scope", [*Scope, None])
def test_a_scope_opens_what_the_table_says_and_does_no_more(
    app: Flask, services: Services, tickets: Program, scope: Scope | None, networks: tuple[str, ...]
) -> None:
    """Own network, another's, all of them: the answer, and what it did to every table. None: all scopes together."""
    scopes = frozenset(Scope) if scope is None else frozenset({scope})
    program = Program(app, give_token(services, "walker", *scopes, networks=networks).token)
    wrong = []
    for rule, method in routes(app):
        needed = TABLE[rule.endpoint]
        for site in (AWAY, HERE):
            things = make_batch(services, site)
            before = state(services)
            status = ask(program, rule, method, things)
            # When it was last seen.
            changed = changed_since(before, services) - {"api_tokens"}
            if needed is not None and needed not in scopes:
                is_right = status == 403 and not changed
            elif networks and site == AWAY and rule.arguments & OWNED:
                is_right = status == 404 and not changed
            else:
                may_change = EFFECTS.get(rule.endpoint, set())
                is_right = status in (200, 201) and changed <= may_change
                is_right &= bool(changed) is bool(may_change)
            if not is_right:
                wrong.append(f"{method} {rule.endpoint} at {site}: {status} {sorted(changed)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scope", [*Scope, None])
def test_other_networks_lose_no_pass(
    app: Flask, services: Services, tickets: Program, scope: Scope | None
) -> None:
    """None: all scopes together."""
    scopes = frozenset(Scope) if scope is None else frozenset({scope})
    made = give_token(services, "walker", *scopes, networks=(MINE,))
    program = Program(app, made.token)
    theirs = make_batch(services, AWAY)
    for rule, method in routes(app):
        mine, needed = make_batch(services, HERE), TABLE[rule.endpoint]
        where = f"{scope} {method} {rule.rule}"
        if needed is not None and needed not in scopes:
            for things in (mine, theirs):
                assert ask(program, rule, method, things) == 403, where
            continue
        if rule.arguments & OWNED:
            assert ask(program, rule, method, theirs) == 404, where
        assert ask(program, rule, method, mine) in (200, 201), where
    with services.make_session() as db:
        alive = select(func.count(Voucher.id)).where(
            Voucher.batch_id == theirs["batch_id"], Voucher.voided_at.is_(None)
        )
        assert db.scalar(alive) == 3


def test_a_token_without_the_scope_is_told_which_one_and_changes_nothing(
    app: Flask, services: Services, tickets: Program
) -> None:
    reader = Program(app, give_token(services, "reader", Scope.READ, networks=(MINE,)).token)
    things = make_batch(services, HERE)
    answer = reader.post(f"/passes/{things['mark']}/revoke")
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="arobase", error="insufficient_scope", scope="passes:revoke"'
    )
    assert tickets.get(f"/passes/{things['mark']}").get_json()["good"] is True


def test_of_other_networks_nothing_is_listed(tickets: Program, stranger: Program, services: Services) -> None:
    mine, theirs = make_batch(services, HERE), make_batch(services, AWAY)
    for program, own in ((tickets, mine), (stranger, theirs)):
        result = program.get("/batches").get_json()["batches"]
        assert [one["batch"] for one in result] == [own["batch_id"]]
    desks = {desk for plan in stranger.get("/plans").get_json()["plans"] for desk in plan["desks"]}
    assert desks == {AWAY}


def test_a_token_of_all_networks_sees_all(app: Flask, services: Services, tickets: Program) -> None:
    everywhere = Program(app, give_token(services, "everywhere").token)
    ids = [make_batch(services, site)["batch_id"] for site in (HERE, AWAY)]
    result = everywhere.get("/batches").get_json()["batches"]
    assert [one["batch"] for one in result] == ids[::-1]


def test_reading_leaves_no_deed_and_a_refusal_neither(
    tickets: Program, stranger: Program, services: Services
) -> None:
    things = make_batch(services, AWAY)
    with services.make_session() as db:
        before = db.scalar(select(func.count(AuditEntry.number)))
    tickets.get("/batches")
    tickets.post(f"/batches/{things['batch_id']}/void")
    tickets.order(plan="week")
    with services.make_session() as db:
        assert db.scalar(select(func.count(AuditEntry.number))) == before


def test_a_token_names_no_network_and_no_scope_itself(tickets: Program) -> None:
    """What it may do stands in the row, where it can be taken back; the token only says which row."""
    body = tickets.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert set(claims) == {"exp", "aud", "iss", "jti"}


def test_two_tokens_cannot_have_one_name(services: Services, tickets: Program) -> None:
    with pytest.raises(TakenName):
        give_token(services, "tickets", networks=(OTHER,))
    with services.make_session() as db:
        assert db.scalar(select(func.count(ApiToken.id))) == 1
