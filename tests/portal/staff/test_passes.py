"""Passes after they were issued: found, replaced, taken back, given back, and counted."""

from __future__ import annotations

import re

from flask import Flask
from sqlalchemy import select

from auth.vouchers import redeeming
from auth.vouchers.codes import read
from auth.vouchers.models import Voucher
from portal.services import Services
from sessions.models import AccessSession
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.portal.staff.conftest import Clerk
from tests.portal.staff.issuing import CODE, deeds, go_online, issue, only_batch, only_pass
from tests.town import Town


def test_a_pass_is_found_by_its_code_its_mark_and_its_note(clerk: Clerk, services: Services) -> None:
    (code,) = issue(clerk, note="Conférence du 3 décembre")
    voucher = only_pass(services)
    for wanted in (code, code.lower().replace("-", " "), voucher.mark, f"https://x.example/pass/{code}"):
        clerk.get("/staff/desk")
        assert clerk.press("/staff/desk/find", wanted=wanted).location == f"/staff/passes/{voucher.id}"
    for words in ("décembre", "DECEMBRE", "conference"):
        clerk.get("/staff/desk")
        clerk.press("/staff/desk/find", wanted=words)
        assert f"/staff/batches/{voucher.batch_id}" in clerk.follow().text, words


def test_a_code_never_stands_in_an_address(clerk: Clerk) -> None:
    clerk.get("/staff/desk")
    assert clerk.press("/staff/desk/find", wanted="7K2-M9Q-XAH").location == "/staff/batches"


def test_a_replaced_ticket_is_dead_and_linked(clerk: Clerk, services: Services, town: Town) -> None:
    (code,) = issue(clerk)
    old = only_pass(services)
    go_online(services, town, code)
    clerk.get(f"/staff/passes/{old.id}")
    clerk.press(f"/staff/passes/{old.id}/replace")
    page = clerk.follow().text
    (fresh,) = set(CODE.findall(page))
    assert fresh != code
    with services.make_session() as db:
        new = redeeming.find(db, keys=services.voucher_keys, code=read(fresh))
        assert new is not None and new.replaces_id == old.id
        assert db.scalars(select(AccessSession.ended_at)).one() is not None
    assert "It was replaced." in clerk.get(f"/staff/passes/{old.id}").text
    assert "Replaced by" in clerk.page.text
    assert deeds(services) == ["passes issued", "pass replaced"]


def test_what_is_void_is_not_replaced(clerk: Clerk, services: Services) -> None:
    issue(clerk)
    voucher = only_pass(services)
    clerk.get(f"/staff/passes/{voucher.id}")
    form = clerk.form(f"/staff/passes/{voucher.id}/replace")
    clerk.press(f"/staff/passes/{voucher.id}/void", reason="spoiled")
    assert clerk.post(f"/staff/passes/{voucher.id}/replace", **form).status_code == 409
    assert "It was written off." in clerk.get(f"/staff/passes/{voucher.id}").text


def test_a_revocation_ends_the_session_and_is_undone_within_a_minute(
    clerk: Clerk, services: Services, town: Town, clock: MovingClock
) -> None:
    (code,) = issue(clerk)
    voucher = only_pass(services)
    go_online(services, town, code)
    page = f"/staff/passes/{voucher.id}"
    clerk.get(page)
    clerk.press(f"{page}/revoke")
    with services.make_session() as db:
        assert db.scalars(select(AccessSession.ended_at)).one() is not None
    clock.advance(seconds=59)
    assert "Undo, until" in clerk.follow().text
    clerk.press(f"{page}/undo")
    assert only_pass(services).voided_at is None
    clerk.follow()
    clerk.press(f"{page}/revoke")
    form = clerk.follow() and clerk.form(f"{page}/undo")
    clock.advance(seconds=60)
    clerk.post(f"{page}/undo", **form)
    assert only_pass(services).voided_at is not None
    assert "Undo, until" not in clerk.get(page).text
    assert deeds(services) == ["passes issued", "pass revoked", "revocation undone", "pass revoked"]


def test_the_books_balance_whatever_is_done(
    clerk: Clerk, services: Services, town: Town, clock: MovingClock
) -> None:
    codes = issue(clerk, "10")
    with services.make_session() as db:
        ids = list(db.scalars(select(Voucher.id).order_by(Voucher.number)))
    batch = f"/staff/batches/{only_batch(services).id}"
    go_online(services, town, codes[0])
    clerk.get(f"/staff/passes/{ids[1]}")
    clerk.press(f"/staff/passes/{ids[1]}/replace")
    clerk.get(f"/staff/passes/{ids[2]}")
    clerk.press(f"/staff/passes/{ids[2]}/void", reason="lost")
    assert "11 printed = 1 used + 2 void + 0 expired + 8 left" in clerk.get(batch).text
    question = clerk.get(f"{batch}/void").text
    assert "8 passes that nobody has used" in question and "1 pass is in use and stays so." in question
    assert "Void 8 passes</button>" in question
    clerk.press(f"{batch}/void")
    assert "11 printed = 1 used + 10 void + 0 expired + 0 left" in clerk.follow().text
    clock.advance(hours=5)
    table = clerk.get("/staff/desk").text.split("<tbody>")[1]
    assert re.findall(r'<td class="number">(\d+)</td>', table) == ["11", "1", "10", "0", "0"]


def test_a_suspended_batch_opens_nothing_until_resumed(clerk: Clerk, services: Services) -> None:
    issue(clerk, "2")
    batch = f"/staff/batches/{only_batch(services).id}"
    clerk.get(batch)
    clerk.press(f"{batch}/suspend")
    assert only_batch(services).suspended_at is not None
    clerk.follow()
    clerk.press(f"{batch}/resume")
    assert only_batch(services).suspended_at is None
    assert deeds(services) == ["passes issued", "batch suspended", "batch resumed"]


def test_a_whole_batch_is_taken_back_and_given_back(clerk: Clerk, services: Services) -> None:
    issue(clerk, "3")
    batch = f"/staff/batches/{only_batch(services).id}"
    clerk.get(f"{batch}/revoke")
    assert "Cut off 3 passes</button>" in clerk.page.text
    clerk.press(f"{batch}/revoke")
    assert "3 printed = 0 used + 3 void + 0 expired + 0 left" in clerk.follow().text
    clerk.press(f"{batch}/undo")
    assert "3 printed = 0 used + 0 void + 0 expired + 3 left" in clerk.follow().text


def test_what_was_written_off_is_given_back_within_a_minute(
    clerk: Clerk, services: Services, clock: MovingClock
) -> None:
    """All that the button did and no more: a ticket spoiled a moment before stays void."""
    issue(clerk, "4")
    batch = f"/staff/batches/{only_batch(services).id}"
    with services.make_session() as db:
        first = db.scalars(select(Voucher.id).order_by(Voucher.number)).first()
    clerk.get(f"/staff/passes/{first}")
    clerk.press(f"/staff/passes/{first}/void", reason="spoiled")
    clock.advance(seconds=20)
    clerk.get(f"{batch}/void")
    clerk.press(f"{batch}/void")
    assert "4 printed = 0 used + 4 void + 0 expired + 0 left" in clerk.follow().text
    clerk.press(f"{batch}/undo")
    assert "4 printed = 0 used + 1 void + 0 expired + 3 left" in clerk.follow().text


def test_one_ticket_that_was_written_off_by_mistake_is_given_back(
    clerk: Clerk, services: Services, clock: MovingClock
) -> None:
    issue(clerk)
    page = f"/staff/passes/{only_pass(services).id}"
    clerk.get(page)
    clerk.press(f"{page}/void", reason="lost")
    assert "Undo, until" in clerk.follow().text
    form = clerk.form(f"{page}/undo")
    clock.advance(seconds=60)
    clerk.post(f"{page}/undo", **form)
    assert only_pass(services).voided_at is not None
    clerk.get(page)
    assert "Undo, until" not in clerk.page.text


def test_nothing_is_offered_where_nothing_is_left(clerk: Clerk, services: Services) -> None:
    issue(clerk, "2")
    batch = f"/staff/batches/{only_batch(services).id}"
    clerk.get(f"{batch}/revoke")
    clerk.press(f"{batch}/revoke")
    page = clerk.follow().text
    assert f'"{batch}/void"' not in page and f'"{batch}/revoke"' not in page and "/suspend" not in page
    for question in ("void", "revoke"):
        assert "Nothing is left" in clerk.get(f"{batch}/{question}").text
        assert '<button class="go">' not in clerk.page.text


def test_every_pass_of_a_large_batch_can_be_reached(clerk: Clerk, services: Services) -> None:
    issue(clerk, "205")
    batch = f"/staff/batches/{only_batch(services).id}"
    assert ">1-200</a>" in clerk.get(batch).text and ">1-201</a>" not in clerk.page.text
    (following,) = re.findall(r'href="([^"]*after=200[^"]*)"', clerk.page.text)
    assert ">1-205</a>" in clerk.get(following).text


def test_a_pass_taken_back_is_told_where_its_device_passes_on(
    app: Flask, clerk: Clerk, services: Services, town: Town
) -> None:
    """On the pass's page, before the batch's question is answered, and by the command line."""
    (code,) = issue(clerk)
    voucher = only_pass(services)
    kept = "1 device passes on until its end: its gateway cannot take access back."
    with made_up.added():
        town.pierre_bayle.kind = "hourglass"
        go_online(services, town, code)
        for page in (f"/staff/passes/{voucher.id}", f"/staff/batches/{voucher.batch_id}/revoke"):
            text = clerk.get(page).text
            assert kept in text and "cut off." not in text.replace("Cut off all", "")
        done = app.test_cli_runner().invoke(args=["vouchers", "revoke", str(voucher.batch_id)])
        assert "1 of them pass on until their end" in done.stderr
    assert "passes on" not in clerk.get(f"/staff/passes/{voucher.id}").text
