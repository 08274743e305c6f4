"""A visitor types the code of a day pass and is online until its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from auth.models import Attempt
from auth.vouchers import codes, voiding
from db.base import Base
from portal.app import create_app
from portal.services import Services
from sessions.models import Decision, Lease
from tests.actors import TESTER
from tests.clock import NOON, MovingClock
from tests.portal.conftest import PORTAL, Agent, Phone
from tests.portal.visitors import issue, sessions, use, vouchers
from tests.town import ADA_PHONE, BO_PHONE, Town

MIDNIGHT = NOON + timedelta(hours=12)
WITHOUT_MEANING = "23456789Q"


@pytest.fixture
def ticket(services: Services, town: Town) -> str:
    """The code of one day pass for one device."""
    return issue(services).codes[0]


# In


def test_a_code_lets_a_visitor_in_until_the_next_midnight(
    reader: Phone, bayle: Agent, ticket: str, db: Session
) -> None:
    answer = use(reader, codes.show(ticket))
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/opening")
    bayle.follow()
    assert bayle.macs == {reader.mac}
    page = reader.get(answer.location)
    assert "23:59" in page.text
    [access] = sessions(db)
    assert (access.until, access.method) == (MIDNIGHT, "pass")


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "Votre code : {1}. Merci !", "https://x/pass/{1}"])
def test_a_code_is_understood_however_it_is_typed(reader: Phone, ticket: str, spelling: str) -> None:
    typed = spelling.format(ticket.lower(), codes.show(ticket))
    assert use(reader, typed).status_code == 303


def test_it_works_without_cookies(reader: Phone, bayle: Agent, ticket: str) -> None:
    reader = Phone(reader.app, reader.gateway, address=reader.address, keeps_cookies=False)
    answer = use(reader, ticket)
    bayle.follow()
    assert "23:59" in reader.get(answer.location).text


def test_a_pass_brings_its_own_rate(reader: Phone, services: Services, town: Town, db: Session) -> None:
    code = issue(services, rate_down_kbps=2_000).codes[0]
    use(reader, code)
    lease = db.scalars(select(Lease)).one()
    assert (lease.rate_down_kbps, lease.rate_up_kbps) == (2_000, 15_000)


def test_the_code_is_nowhere_in_the_database(reader: Phone, ticket: str, services: Services) -> None:
    """A stolen database holds no code that works."""
    use(reader, ticket)
    with services.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                assert ticket not in repr(row)
                assert codes.show(ticket) not in repr(row)


# Links


def test_the_link_of_a_ticket_fills_the_field_whatever_its_case(reader: Phone, ticket: str) -> None:
    reader.land()
    visit = reader.form("/pass")["visit"]
    for link in (ticket, ticket.lower(), codes.show(ticket).lower()):
        page = reader.get(f"/pass/{link}?visit={visit}")
        assert f'value="{codes.show(ticket)}"' in page.text
        assert reader.form("/pass")["visit"]


def test_opening_a_link_uses_nothing(reader: Phone, ticket: str, db: Session) -> None:
    """Previews and scanners open links; a GET must change nothing (RFC 9110 section 9.2.1)."""
    reader.land()
    visit = reader.form("/pass")["visit"]
    for path in (f"/pass/{ticket}?visit={visit}", f"/pass?visit={visit}&code={ticket}&move=1"):
        assert reader.get(path).status_code == 200
    assert reader.browser.head(f"/pass/{ticket}", base_url=PORTAL).status_code == 200
    assert sessions(db) == []
    assert [voucher.used_at for voucher in vouchers(db)] == [None]


def test_a_link_opened_elsewhere_tells_how_to_join(app: Flask, town: Town, ticket: str, db: Session) -> None:
    stranger = Phone(app, town.station, address="192.0.2.9")
    page = stranger.get(f"/pass/{ticket}")
    assert page.status_code == 200
    for words in (codes.show(ticket), "BIBLIOTHEQUES", "has not been used"):
        assert words in page.text
    assert "WIFILIB" not in page.text
    stranger.post("/pass", code=ticket)
    assert sessions(db) == []


def test_a_pass_on_a_network_without_passes_is_told_where_to_go(
    phone: Phone, ticket: str, db: Session
) -> None:
    phone.land()
    visit = phone.form("/pause")["visit"]
    for page in (phone.post("/pass", visit=visit, code=ticket), phone.get(f"/pass/{ticket}?visit={visit}")):
        assert "BIBLIOTHEQUES" in page.text
        assert "This pass is for: " in page.text and "which takes no passes" in page.text
        assert "not on it yet" not in page.text
        assert "/?visit=" in page.text
    assert sessions(db) == []


@pytest.mark.parametrize("path", ["/pass", "/pass/7K2-M9Q-XAH", "/signin", "/status"])
def test_looking_at_a_page_is_never_written_down_as_a_denial(phone: Phone, db: Session, path: str) -> None:
    phone.land()
    visit = phone.form("/pause")["visit"]
    assert "Incident" not in phone.get(f"{path}?visit={visit}").text
    assert db.scalars(select(Decision)).all() == []


def test_looking_for_a_message_in_the_library_leads_to_the_ways_it_has(reader: Phone, db: Session) -> None:
    reader.land()
    visit = reader.form("/signin")["visit"]
    assert "/signin" in reader.get(f"/pause?visit={visit}").text
    assert db.scalars(select(Decision)).all() == []


def test_a_way_in_that_is_not_offered_here_is_no_other_wifi(phone: Phone) -> None:
    phone.land()
    page = phone.post("/signin", visit=phone.form("/pause")["visit"], login="x", secret="y")
    assert "This network does not offer that." in page.text and "not on our wifi" not in page.text
    assert phone.form("/pause")


def test_an_ended_pass_is_not_left_above_the_button(
    reader: Phone, bayle: Agent, ticket: str, clock: MovingClock
) -> None:
    use(reader, ticket)
    clock.advance(hours=13)
    page = use(reader, ticket)
    assert "This pass ended" in page.text
    assert codes.show(ticket) not in page.text
    assert "aria-invalid=" not in page.text


def test_a_link_with_anything_in_it_is_shown_as_text(reader: Phone) -> None:
    reader.land()
    visit = reader.form("/pass")["visit"]
    page = reader.get(f"/pass/%22%3E%3Cscript%3Ex%3C/script%3E?visit={visit}")
    assert page.status_code == 200
    assert "<script" not in page.text


def test_who_is_online_with_a_pass_is_shown_until_when(reader: Phone, bayle: Agent, ticket: str) -> None:
    use(reader, ticket)
    bayle.follow()
    reader.get(reader.page.location)
    visit = reader.form("/leave")["visit"]
    assert "/status" in reader.get(f"/pass/{ticket}?visit={visit}", follow=False).location


# What is refused


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Type the code of your pass."),
        ("?!", "There is no code here"),
        ("7K2-M9Q-X", "2 characters are missing"),
        ("7K2-M9Q-XAHH", "1 character is too many"),
        ("7K2-O9Q-XAH", "Check character number 4"),
        ("7K2-M9Q-XAJ", "One character is wrong"),
    ],
)
def test_a_slip_is_told_without_asking_the_database(
    reader: Phone, services: Services, ticket: str, typed: str, words: str
) -> None:
    """Not even counted as an attempt."""
    reader.land()
    asked: list[str] = []
    listener = lambda _c, _u, statement, *_: asked.append(statement)  # noqa: E731
    event.listen(services.engine, "before_cursor_execute", listener)
    for _ in range(12):
        answer = reader.press("/pass", code=typed)
    event.remove(services.engine, "before_cursor_execute", listener)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{typed}"' in answer.text
    assert [one for one in asked if "vouchers" in one or "attempts" in one] == []
    assert use(reader, ticket).status_code == 303


def test_an_unknown_code_is_told_and_counted(reader: Phone, ticket: str, db: Session) -> None:
    answer = use(reader, WITHOUT_MEANING)
    assert answer.status_code == 403
    assert "We do not know this code" in answer.text
    assert f'value="{codes.show(WITHOUT_MEANING)}"' in answer.text
    counted = {attempt.key: attempt.count for attempt in db.scalars(select(Attempt))}
    assert counted == {
        f"guess:client:gw-bayle:{ADA_PHONE}": 1,
        "guess:gateway:gw-bayle": 1,
        "guess:site:pierre-bayle": 1,
        "guess:all": 1,
    }


def test_the_sixth_unknown_code_of_a_client_is_refused_with_the_time(
    reader: Phone, clock: MovingClock, ticket: str
) -> None:
    for _ in range(5):
        assert use(reader, WITHOUT_MEANING).status_code == 403
    refused = use(reader, ticket)
    assert refused.status_code == 429
    assert "12:15" in refused.text
    assert int(refused.headers["Retry-After"]) == 900
    clock.advance(minutes=15)
    assert use(reader, ticket).status_code == 303


def test_a_pass_whose_time_is_over_says_since_when(
    reader: Phone, ticket: str, clock: MovingClock, db: Session
) -> None:
    use(reader, ticket)
    clock.advance(hours=12)
    answer = use(reader, ticket)
    assert answer.status_code == 403
    assert "This pass ended" in answer.text
    assert "24 November 23:59" in answer.text
    assert len(sessions(db)) == 1


def test_a_pass_that_nobody_used_in_time_says_so(
    reader: Phone, services: Services, town: Town, clock: MovingClock
) -> None:
    code = issue(services, ends_at=NOON + timedelta(days=1)).codes[0]
    clock.advance(days=1)
    assert "could be used until" in use(reader, code).text


def test_a_cancelled_pass_shows_its_mark(reader: Phone, services: Services, town: Town) -> None:
    batch = issue(services, 2)
    with services.make_session.begin() as db:
        voiding.revoke(db, voiding.of_batch(batch.batch.id), actor=TESTER, now=NOON)
    answer = use(reader, batch.codes[1])
    assert "cancelled" in answer.text
    assert f"{batch.batch.id}-2" in answer.text


def test_a_suspended_batch_lets_nobody_in_until_it_is_resumed(
    reader: Phone, services: Services, town: Town
) -> None:
    batch = issue(services)
    with services.make_session.begin() as db:
        assert voiding.suspend(db, batch.batch.id, actor=TESTER, now=NOON)
    assert "on hold" in use(reader, batch.codes[0]).text
    with services.make_session.begin() as db:
        assert voiding.resume(db, batch.batch.id, actor=TESTER, now=NOON)
    assert use(reader, batch.codes[0]).status_code == 303


@pytest.mark.parametrize("fields", [{"networks": ["wifilib"]}, {"sites": ["battant"]}], ids=str)
def test_a_pass_for_another_place_says_so(
    reader: Phone, services: Services, town: Town, db: Session, fields: dict[str, list[str]]
) -> None:
    page = use(reader, issue(services, **fields).codes[0]).text
    assert "another place" in page
    assert ("Your code is right. It holds on: " in page) == ("networks" in fields)
    assert sessions(db) == []


@pytest.mark.parametrize("why", ["spent", "expired", "void", "suspended", "foreign", "already used"])
def test_no_other_refusal_counts_as_a_guess(
    reader: Phone, services: Services, town: Town, clock: MovingClock, db: Session, why: str
) -> None:
    batch = issue(services, ends_at=NOON + timedelta(days=2), sites=["battant"] if why == "foreign" else [])
    if why in ("spent", "already used"):
        use(Phone(reader.app, reader.gateway, BO_PHONE, "10.68.0.9"), batch.codes[0])
    with services.make_session.begin() as writing:
        if why == "void":
            voiding.revoke(writing, voiding.of_batch(batch.batch.id), actor=TESTER, now=NOON)
        if why == "suspended":
            voiding.suspend(writing, batch.batch.id, actor=TESTER, now=NOON)
    clock.advance(days={"spent": 1, "expired": 2}.get(why, 0))
    for _ in range(8):
        assert use(reader, batch.codes[0]).status_code in (403, 409)
    db.rollback()
    assert [attempt.key for attempt in db.scalars(select(Attempt).where(Attempt.count > 0))] == []


def test_the_budget_against_guessing_outlives_a_restart_and_spares_an_innocent(
    app: Flask, town: Town, ticket: str, services: Services
) -> None:
    """What one worker has counted, another that has just started knows."""
    wrong = [codes.make() for _ in range(6)]
    guesser = Phone(app, town.pierre_bayle, address="10.68.0.7", mac="02:00:00:00:0c:01")
    assert [use(guesser, code).status_code for code in wrong][-1] == 429
    started = create_app(services)
    again = Phone(started, town.pierre_bayle, address="10.68.0.7", mac="02:00:00:00:0c:01")
    assert use(again, ticket).status_code == 429
    innocent = Phone(started, town.pierre_bayle, address="10.68.0.8", mac="02:00:00:00:0c:02")
    assert use(innocent, ticket).status_code == 303
