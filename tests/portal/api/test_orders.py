"""Passes ordered by a program: issued, told once, and never twice."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.api_tokens.models import PassRequest
from auth.audit.log import AuditEntry
from auth.vouchers import redeeming
from auth.vouchers.codes import read
from auth.vouchers.models import Batch, Voucher
from portal.services import Services
from sessions.sweep import sweep
from tests.clock import MovingClock
from tests.portal.api.conftest import AWAY, HERE, MINE, Program, give_token
from tests.portal.conftest import Phone
from tests.portal.visitors import use


def counted(db: Session, thing: type) -> int:
    db.rollback()
    return db.scalar(select(func.count()).select_from(thing)) or 0


def test_passes_are_ordered_and_let_a_visitor_in(tickets: Program, reader: Phone) -> None:
    answer = tickets.order(3, event="Fête du livre", note="Salle B", last_day="2026-12-01")
    assert answer.status_code == 201
    result = answer.get_json()
    batch = result["batch"]
    assert answer.headers["Location"] == f"/api/v1/batches/{batch['batch']}"
    assert [one["mark"] for one in result["passes"]] == [f"{batch['batch']}-{n}" for n in (1, 2, 3)]
    assert batch["ends_at"] == "2026-12-01T23:00:00Z"
    assert (batch["event"], batch["note"], batch["desk"], batch["own"]) == (
        "Fête du livre",
        "Salle B",
        HERE,
        True,
    )
    assert batch["books"] == {"printed": 3, "used": 0, "void": 0, "expired": 0, "left": 3}
    code = result["passes"][1]["code"]
    assert result["passes"][1]["link"] == f"https://portal.example.org/pass/{read(code)}"
    assert use(reader, code).status_code == 303


def test_the_trail_says_which_program_ordered_what(tickets: Program, db: Session) -> None:
    number = tickets.order(2, event="Salon").get_json()["batch"]["batch"]
    entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
    assert entry is not None
    assert (entry.actor, entry.action, entry.object, entry.network) == (
        "token:tickets",
        "passes issued",
        f"batch:{number}",
        MINE,
    )
    assert entry.detail == {"count": 2, "plan": "day", "desk": HERE, "event": "Salon"}
    assert db.scalars(select(Batch.issued_by)).one() == "token:tickets"


def test_a_retry_gets_the_same_codes_and_issues_nothing(tickets: Program, db: Session) -> None:
    first, again = tickets.order(3, key="order-77"), tickets.order(3, key="order-77")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert [one.headers["Idempotency-Replayed"] for one in (first, again)] == ["false", "true"]
    assert (counted(db, Batch), counted(db, Voucher)) == (1, 3)
    assert db.scalar(select(func.count()).where(AuditEntry.action == "passes issued")) == 1


def test_another_key_is_another_order(tickets: Program, db: Session) -> None:
    codes = {tickets.order().get_json()["passes"][0]["code"] for _ in range(3)}
    assert len(codes) == counted(db, Batch) == 3


def test_the_key_of_one_program_is_nobody_else_s(
    app: Flask, tickets: Program, services: Services, db: Session
) -> None:
    other = Program(app, give_token(services, "second", networks=(MINE,)).token)
    one, two = (program.order(key="order-1").get_json()["passes"][0]["code"] for program in (tickets, other))
    assert one != two
    assert counted(db, Batch) == 2


def test_a_key_in_quotes_is_the_same_key(tickets: Program, db: Session) -> None:
    """As the draft of the standard writes it."""
    assert tickets.order(key="abc").get_json() == tickets.order(key='"abc"').get_json()
    assert counted(db, Batch) == 1


def test_the_same_key_for_another_order_is_refused(tickets: Program, db: Session) -> None:
    tickets.order(1, key="order-1")
    answer = tickets.order(2, key="order-1")
    assert answer.status_code == 422
    assert answer.get_json()["type"].endswith(":other-request")
    assert counted(db, Voucher) == 1


def test_a_refused_order_leaves_its_key_free(tickets: Program, db: Session) -> None:
    assert tickets.order(1, key="order-1", plan="week").status_code == 422
    assert counted(db, PassRequest) == 0
    assert tickets.order(1, key="order-1").status_code == 201


def test_a_day_later_no_code_is_told_again_and_nothing_is_issued_either(
    tickets: Program, clock: MovingClock, db: Session
) -> None:
    number = tickets.order(key="order-1").get_json()["batch"]["batch"]
    clock.advance(hours=23, minutes=59)
    assert tickets.order(key="order-1").status_code == 201
    clock.advance(minutes=1)
    answer = tickets.order(key="order-1")
    assert answer.status_code == 409
    assert f"Void batch {number}," in answer.get_json()["detail"]
    assert counted(db, Voucher) == 1


def test_the_sweep_forgets_what_codes_are_drawn_from(
    tickets: Program, services: Services, clock: MovingClock, db: Session
) -> None:
    tickets.order(key="old")
    clock.advance(hours=23)
    tickets.order(key="new")
    clock.advance(hours=1, seconds=1)
    with services.make_session.begin() as writing:
        sweep(writing, now=clock())
    db.rollback()
    assert [salt is None for salt in db.scalars(select(PassRequest.salt).order_by(PassRequest.id))] == [
        True,
        False,
    ]
    assert tickets.order(key="old").status_code == 409


def test_no_row_holds_a_code_or_what_one_could_be_drawn_from(
    tickets: Program, services: Services, db: Session
) -> None:
    """The salt is there; the key of the request and the token's identifier are not."""
    code = read(tickets.order(key="a-key-of-the-program").get_json()["passes"][0]["code"])
    request = db.scalars(select(PassRequest)).one()
    held = repr([getattr(request, column.name) for column in PassRequest.__table__.columns])
    assert "a-key-of-the-program" not in held
    assert tickets.row is not None
    kept = repr([getattr(tickets.row, column.name) for column in type(tickets.row).__table__.columns])
    with services.make_session() as reading:
        voucher = redeeming.find(reading, keys=services.voucher_keys, code=code)
    assert voucher is not None
    for secret in (code, tickets.token, tickets.token.split(".")[1]):
        assert secret not in held + kept + repr(vars(voucher))


def test_codes_are_in_no_log_and_no_cache(tickets: Program, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = tickets.order(2)
        tickets.post("/batches", {"plan": "day", "desk": HERE, "count": "x"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    for one in answer.get_json()["passes"]:
        assert one["code"] not in caplog.text and read(one["code"]) not in caplog.text
    assert tickets.token not in caplog.text


MISFITS: list[tuple[dict[str, object], str, str]] = [
    ({"count": 0}, "/count", "from 1 to 1000"),
    ({"count": 1001}, "/count", "from 1 to 1000"),
    ({"count": "3"}, "/count", "from 1 to 1000"),
    ({"count": True}, "/count", "from 1 to 1000"),
    ({"count": 1.5}, "/count", "from 1 to 1000"),
    ({"plan": "week"}, "/plan", "GET /api/v1/plans"),
    ({"plan": None}, "/plan", "at most 64"),
    ({"desk": "nowhere"}, "/desk", "GET /api/v1/plans"),
    ({"desk": AWAY}, "/desk", "GET /api/v1/plans"),
    ({"last_day": "2026-11-23"}, "/last_day", "later day"),
    ({"last_day": "31/12/2026"}, "/last_day", "like 2026-12-31"),
    ({"last_day": "2026-02-30"}, "/last_day", "like 2026-12-31"),
    ({"last_day": "9999-12-31"}, "/last_day", "like 2026-12-31"),
    ({"note": "x" * 201}, "/note", "at most 200"),
    ({"note": "a\0b"}, "/note", "one line"),
    ({"event": "a\nb"}, "/event", "one line"),
    ({"event": "\ud800"}, "/event", "one line"),
    ({"colour": "red"}, "/colour", "plan, desk, count"),
]


def test_an_order_that_does_not_fit_says_where_and_makes_nothing(tickets: Program, db: Session) -> None:
    for fields, field, advice in MISFITS:
        answer = tickets.post("/batches", {"plan": "day", "desk": HERE, "count": 1, **fields})
        assert answer.status_code == 422, answer.text
        assert answer.get_json()["field"] == field
        assert advice in answer.get_json()["detail"]
    assert counted(db, Batch) == 0


@pytest.mark.parametrize("missing", ["plan", "desk"])
def test_an_order_needs_a_plan_and_a_desk(tickets: Program, missing: str) -> None:
    body = {"plan": "day", "desk": HERE}
    del body[missing]
    answer = tickets.post("/batches", body)
    assert (answer.status_code, answer.get_json()["field"]) == (422, f"/{missing}")


def test_a_plan_of_another_network_is_as_unknown_as_none(
    tickets: Program, services: Services, db: Session
) -> None:
    from auth.vouchers import plans

    with services.make_session.begin() as writing:
        plans.by_slug(writing, "24h").networks = ["other-town"]
    theirs, none = (tickets.order(plan=slug) for slug in ("24h", "week"))
    assert theirs.get_json() == none.get_json()
    assert "24h" not in tickets.get("/plans").text
    assert counted(db, Batch) == 0


UNREADABLE = [
    b"",
    b"{",
    b"[1",
    b"\xff\xfe{\x00}\x00",
    b'{"plan": "day", "plan": "24h", "desk": "pierre-bayle"}',
    b'{"plan": "day", "desk": "pierre-bayle", "count": NaN}',
    b'{"plan": "day", "desk": "pierre-bayle", "count": Infinity}',
    b'{"count": ' + b"9" * 5000 + b"}",
    b'{"a": ' * 2000,
    b"[" * 12_000,
    b'{"plan": "day"} {"desk": "pierre-bayle"}',
]


def test_a_body_that_is_no_json_is_refused(tickets: Program, db: Session) -> None:
    """Where a body was tampered with on its way."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    for octets in UNREADABLE:
        answer = tickets.ask("POST", "/batches", data=octets, headers=headers)
        assert answer.status_code == 400, answer.text
        assert answer.get_json()["type"].endswith(":unreadable")
    assert counted(db, Batch) == 0


@pytest.mark.parametrize("body", [b"[]", b'"day"', b"1", b"null", b'[{"plan": "day"}]'])
def test_a_body_that_is_no_object_is_refused(tickets: Program, body: bytes) -> None:
    kind = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = tickets.ask("POST", "/batches", data=body, headers=kind)
    assert (answer.status_code, answer.get_json()["field"]) == (422, "/")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_of_another_kind_is_refused(tickets: Program, kind: str) -> None:
    answer = tickets.ask(
        "POST", "/batches", data=b"{}", headers={"Content-Type": kind, "Idempotency-Key": "k"}
    )
    assert answer.status_code == 415


def test_a_body_of_more_than_16_kib_is_refused_unread(tickets: Program, db: Session) -> None:
    note = "x" * (16 * 1024)
    answer = tickets.order(note=note)
    assert answer.status_code == 413
    assert counted(db, Batch) == 0


@pytest.mark.parametrize("key", [" ", '""', "k" * 129, "clé", "two words"])
def test_an_order_without_a_proper_key_is_refused(tickets: Program, db: Session, key: str) -> None:
    answer = tickets.order(key=key)
    assert answer.status_code == 400
    assert answer.get_json()["type"].endswith(":no-idempotency-key")
    assert counted(db, Batch) == 0


def test_an_imprudent_order_is_refused(
    tickets: Program, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.vouchers.rate_limits.guesses_per_day", lambda: 100_000_000_000)
    answer = tickets.order()
    assert (answer.status_code, answer.get_json()["type"][-14:]) == (409, "too-many-codes")
    assert counted(db, Batch) == 0


def test_a_name_of_an_event_may_hold_what_french_writes(tickets: Program) -> None:
    """A narrow no-break space is no control character."""
    result = tickets.order(event="  Fête\u202f: « l’été » ").get_json()
    assert result["batch"]["event"] == "Fête : « l’été »"


def test_one_request_makes_a_thousand(tickets: Program, db: Session) -> None:
    result = tickets.order(1000, key="many").get_json()
    assert len({one["code"] for one in result["passes"]}) == 1000
    assert tickets.order(1000, key="many").get_json()["passes"] == result["passes"]


def test_a_code_that_is_taken_is_drawn_again_and_found_again(
    tickets: Program, services: Services, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chance in billions, made certain: the first attempt for the second pass gives the code of the first."""
    from auth.api_tokens.idempotency import CodeGenerator

    drawn = CodeGenerator.__call__
    monkeypatch.setattr(
        CodeGenerator,
        "__call__",
        lambda self, number, attempt: drawn(self, 1 if attempt == 0 else number, attempt),
    )
    result = tickets.order(2, key="twins").get_json()
    assert result["passes"][0]["code"] != result["passes"][1]["code"]
    assert tickets.order(2, key="twins").get_json()["passes"] == result["passes"]


def test_a_token_used_is_seen_to_the_minute(tickets: Program, services: Services, clock: MovingClock) -> None:
    from auth.api_tokens import service

    seen = []
    for _ in range(3):
        tickets.get("/plans")
        with services.make_session() as db:
            row = service.by_name(db, "tickets")
            assert row is not None
            seen.append(row.used_at)
        clock.advance(seconds=40)
    assert seen[1] == seen[0]
    assert seen[2] == seen[0] + timedelta(seconds=80)


def test_a_ticket_of_the_paper_reads_like_the_answer(tickets: Program) -> None:
    code = tickets.order().get_json()["passes"][0]["code"]
    assert re.fullmatch(r"[2-9A-HJKMNP-Z]{3}(-[2-9A-HJKMNP-Z]{3}){2}", code)
