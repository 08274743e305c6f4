"""Passes and batches as a program reads and changes them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.vouchers import voiding
from portal.services import Services
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.api.conftest import Program
from tests.portal.conftest import Agent, Phone
from tests.portal.visitors import use


def deeds(db: Session) -> list[tuple[str, str]]:
    """What the program did after its first order, and to what."""
    db.rollback()
    of_passes = select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.object.not_like("token:%"))
    rows = db.execute(of_passes.order_by(AuditEntry.number)).all()
    return [(row[0], row[1]) for row in rows][1:]


def ordered(tickets: Program, count: int = 1, **fields: object) -> tuple[int, list[tuple[str, str]]]:
    """A batch's number, and mark and code of each of its passes."""
    result = tickets.order(count, **fields).get_json()
    return result["batch"]["batch"], [(one["mark"], one["code"]) for one in result["passes"]]


def test_a_pass_is_read_before_during_and_after_its_use(
    tickets: Program, reader: Phone, clock: MovingClock
) -> None:
    number, [(mark, code)] = ordered(tickets)
    fresh = tickets.get(f"/passes/{mark}").get_json()
    assert fresh == {
        "mark": mark,
        "batch": number,
        "plan": "day",
        "state": "left",
        "good": True,
        "issued_at": "2026-11-24T11:00:00Z",
        "used_at": None,
        "until": None,
        "voided_at": None,
        "void_reason": None,
        "replaces": None,
        "replaced_by": None,
    }
    use(reader, code)
    used = tickets.get(f"/passes/{mark}").get_json()
    assert (used["state"], used["good"], used["until"]) == ("used", True, "2026-11-24T23:00:00Z")
    clock.advance(hours=13)
    assert tickets.get(f"/passes/{mark}").get_json()["good"] is False


def test_a_suspended_pass_is_not_good(tickets: Program, services: Services) -> None:
    number, [(mark, _)] = ordered(tickets)
    with services.make_session.begin() as db:
        voiding.suspend(db, number, actor=TESTER, now=services.clock())
    assert tickets.get(f"/passes/{mark}").get_json()["good"] is False
    assert tickets.get(f"/batches/{number}").get_json()["suspended_at"] == "2026-11-24T11:00:00Z"


def test_a_pass_over_its_last_day_has_expired(tickets: Program, clock: MovingClock) -> None:
    _, [(mark, _)] = ordered(tickets, last_day="2026-11-24")
    clock.advance(days=1)
    result = tickets.get(f"/passes/{mark}").get_json()
    assert (result["state"], result["good"]) == ("expired", False)


def test_a_pass_is_voided_once_and_stays_so(tickets: Program, reader: Phone, db: Session) -> None:
    _, [(mark, code)] = ordered(tickets)
    for reason in ("lost", "spoiled"):
        answer = tickets.post(f"/passes/{mark}/void", {"reason": reason})
        assert answer.status_code == 200
        result = answer.get_json()
        assert (result["state"], result["void_reason"], result["good"]) == ("void", "lost", False)
    assert "cancelled" in use(reader, code).text
    assert deeds(db) == [("token:tickets", "pass voided")]


def test_a_reason_that_is_none_is_refused(tickets: Program, db: Session) -> None:
    _, [(mark, _)] = ordered(tickets)
    for reason in ("revoked", "replaced", "", 1, None):
        answer = tickets.post(f"/passes/{mark}/void", {"reason": reason})
        assert (answer.status_code, answer.get_json()["field"]) == (422, "/reason")
        assert "spoiled, lost, unused" in answer.get_json()["detail"]
    assert deeds(db) == []


def test_a_used_pass_cannot_be_voided_and_the_answer_says_what_can(
    tickets: Program, reader: Phone, db: Session
) -> None:
    _, [(mark, code)] = ordered(tickets)
    use(reader, code)
    answer = tickets.post(f"/passes/{mark}/void", {})
    assert answer.status_code == 409
    assert "Revoke it" in answer.get_json()["detail"]
    assert deeds(db) == []


def test_a_revoked_pass_cuts_off_who_is_online_with_it(
    tickets: Program, reader: Phone, bayle: Agent, db: Session
) -> None:
    _, [(mark, code)] = ordered(tickets)
    use(reader, code)
    bayle.follow()
    assert bayle.macs == {reader.mac}
    result = tickets.post(f"/passes/{mark}/revoke").get_json()
    assert (result["state"], result["void_reason"], result["good"]) == ("used", "revoked", False)
    bayle.follow()
    assert bayle.macs == set()
    assert tickets.post(f"/passes/{mark}/revoke").status_code == 200
    assert deeds(db) == [("token:tickets", "pass revoked")]


def test_a_pass_that_is_over_cannot_be_revoked(tickets: Program, reader: Phone, clock: MovingClock) -> None:
    _, [(mark, code)] = ordered(tickets)
    use(reader, code)
    clock.advance(days=1)
    assert tickets.post(f"/passes/{mark}/revoke").status_code == 409


def test_a_lost_ticket_is_replaced_once_however_often_it_is_asked(
    tickets: Program, reader: Phone, bayle: Agent, db: Session
) -> None:
    _, [(mark, code)] = ordered(tickets)
    use(reader, code)
    bayle.follow()
    first, again = (tickets.post(f"/passes/{mark}/replace", key="lost-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    [fresh] = first.get_json()["passes"]
    assert first.headers["Location"] == f"/api/v1/passes/{fresh['mark']}"
    bayle.follow()
    assert bayle.macs == set()
    assert "cancelled" in use(reader, code).text
    assert use(reader, fresh["code"]).status_code == 303
    old, new = (tickets.get(f"/passes/{one}").get_json() for one in (mark, fresh["mark"]))
    assert (old["replaced_by"], new["replaces"], old["void_reason"]) == (fresh["mark"], mark, "replaced")
    assert tickets.post(f"/passes/{mark}/replace", key="lost-2").status_code == 409
    assert deeds(db) == [("token:tickets", "pass replaced")]


def test_a_replacement_needs_a_key_too(tickets: Program) -> None:
    _, [(mark, _)] = ordered(tickets)
    assert tickets.post(f"/passes/{mark}/replace", key=" ").status_code == 400
    assert tickets.get(f"/passes/{mark}").get_json()["good"] is True


def test_the_key_of_an_order_replaces_nothing(tickets: Program) -> None:
    tickets.order(key="order-1")
    _, [(mark, _)] = ordered(tickets)
    assert tickets.post(f"/passes/{mark}/replace", key="order-1").status_code == 422
    assert tickets.get(f"/passes/{mark}").get_json()["good"] is True


def test_the_books_add_up_whatever_happens(tickets: Program, reader: Phone, clock: MovingClock) -> None:
    number, made = ordered(tickets, 6, last_day="2026-11-25")
    use(reader, made[0][1])
    tickets.post(f"/passes/{made[1][0]}/void", {})
    tickets.post(f"/passes/{made[2][0]}/replace")
    tickets.post(f"/passes/{made[3][0]}/revoke")
    books = tickets.get(f"/batches/{number}").get_json()["books"]
    assert books == {"printed": 7, "used": 1, "void": 3, "expired": 0, "left": 3}
    clock.advance(days=2)
    books = tickets.get(f"/batches/{number}").get_json()["books"]
    assert books == {"printed": 7, "used": 1, "void": 3, "expired": 3, "left": 0}
    assert tickets.get("/batches").get_json()["batches"][0]["books"] == books


def test_what_is_left_of_a_batch_is_voided(tickets: Program, reader: Phone, db: Session) -> None:
    number, made = ordered(tickets, 3)
    use(reader, made[0][1])
    for _ in range(2):
        result = tickets.post(f"/batches/{number}/void").get_json()
        assert result["books"] == {"printed": 3, "used": 1, "void": 2, "expired": 0, "left": 0}
    assert tickets.get(f"/passes/{made[0][0]}").get_json()["good"] is True
    assert deeds(db) == [("token:tickets", "unused passes voided")]


def test_a_whole_batch_is_revoked(tickets: Program, reader: Phone, bayle: Agent, db: Session) -> None:
    number, made = ordered(tickets, 2)
    use(reader, made[0][1])
    bayle.follow()
    for _ in range(2):
        assert tickets.post(f"/batches/{number}/revoke").status_code == 200
    bayle.follow()
    assert bayle.macs == set()
    assert [tickets.get(f"/passes/{mark}").get_json()["good"] for mark, _ in made] == [False, False]
    assert deeds(db) == [("token:tickets", "batch revoked")]


def test_batches_are_listed_page_by_page_and_by_their_words(tickets: Program) -> None:
    ids = [ordered(tickets, event=f"Salon {n}", note="100 %" if n == 2 else "")[0] for n in range(5)]
    first = tickets.get("/batches?most=2").get_json()
    assert ([one["batch"] for one in first["batches"]], first["before"]) == (ids[:2:-1], ids[3])
    second = tickets.get(f"/batches?most=2&before={first['before']}").get_json()
    assert [one["batch"] for one in second["batches"]] == [ids[2], ids[1]]
    last = tickets.get(f"/batches?most=2&before={second['before']}").get_json()
    assert ([one["batch"] for one in last["batches"]], last["before"]) == ([ids[0]], None)
    found = tickets.get("/batches?words=salon+%25").get_json()["batches"]
    assert [one["batch"] for one in found] == [ids[2]]


WRONG_QUERIES = [
    ("most=0", "/most"),
    ("most=101", "/most"),
    ("most=ten", "/most"),
    ("most=", "/most"),
    ("most=2&most=3", "/most"),
    ("before=0", "/before"),
    ("before=2147483648", "/before"),
    ("before=" + "9" * 500, "/before"),
    ("before=%D9%A3", "/before"),
    ("befor=3", "/befor"),
    ("words=" + "x" * 81, "/words"),
    ("words=a%0Ab", "/words"),
]


def test_a_query_that_does_not_fit_says_where(tickets: Program) -> None:
    for query, field in WRONG_QUERIES:
        answer = tickets.get(f"/batches?{query}")
        assert (answer.status_code, answer.get_json()["field"]) == (422, field), query


def test_plans_say_what_may_be_ordered_and_where(tickets: Program) -> None:
    result = {one["plan"]: one for one in tickets.get("/plans").get_json()["plans"]}
    assert set(result) == {"day", "24h", "closing", "2h"}
    assert result["2h"] == {
        "plan": "2h",
        "names": {"fr": "2 heures", "en": "2 hours"},
        "kind": "fixed_minutes",
        "minutes": 120,
        "devices": 1,
        "ends_at": None,
        "desks": ["pierre-bayle"],
    }


def test_who_issued_a_batch_is_told_to_nobody_but_its_own_program(
    tickets: Program, services: Services
) -> None:
    """A clerk's name is no business of a ticket system."""
    from tests.portal.api.test_tokens import make_batch

    make_batch(services, "pierre-bayle")
    answer = tickets.get("/batches")
    assert "somebody" not in answer.text
    assert answer.get_json()["batches"][0]["own"] is False
