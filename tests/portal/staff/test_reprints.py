"""Unused passes printed again until their day is over; codes taken away as a file, or by e-mail to one person."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth import reprints
from auth.audit.log import AuditEntry
from auth.encrypted_tokens import EncryptedTokens
from auth.staff.models import StaffAnswer
from auth.staff.roles import Role
from auth.tokens import InvalidToken
from auth.vouchers.models import BatchKey
from config import Secret
from portal.services import Services
from sessions.sweep import sweep
from tests.clock import MovingClock
from tests.portal.conftest import Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.issuing import CODE, deeds, issue, only_batch
from tests.portal.visitors import use
from tests.services.smtp_server import smtp_server

PRINT, FILE, MAIL = "/staff/desk/print", "/staff/desk/codes.csv", "/staff/desk/mail"


def reprint(clerk: Clerk, batch_id: int) -> list[str]:
    """Press the button of the batch's page; the codes that are shown."""
    clerk.get(f"/staff/batches/{batch_id}")
    assert clerk.press(f"/staff/batches/{batch_id}/reprint").status_code == 303
    assert clerk.follow().status_code == 200, clerk.page.text
    return list(dict.fromkeys(CODE.findall(clerk.page.text)))


def test_another_clerk_prints_what_was_not_used_until_the_day_is_over(
    clerk: Clerk, desk: Desk, services: Services, reader: Phone, clock: MovingClock, db: Session
) -> None:
    """The printer jams, the clerk goes home: the noon shift prints the rest, and after midnight nobody does."""
    codes = issue(clerk, "3")
    batch = only_batch(services)
    assert use(reader, codes[0]).status_code == 303
    clerk.press("/staff/signout")
    eve = desk.at_work("eve", Role.DESK, networks=("bibliotheques",))
    assert reprint(eve, batch.id) == codes[1:]
    assert "2 passes to print again" in eve.page.text
    assert eve.post(PRINT, **eve.form(PRINT), paper="escpos").status_code == 200
    assert deeds(services)[-2:] == ["codes reopened", "slips printed"]
    assert db.scalars(select(AuditEntry.detail).where(AuditEntry.action == "codes reopened")).one() == {
        "count": 2
    }
    clock.advance(hours=12)
    eve.sign_in()
    assert "/reprint" not in eve.get(f"/staff/batches/{batch.id}").text
    eve.get("/staff/desk")
    form = eve.form("/staff/desk/find")
    assert eve.post(f"/staff/batches/{batch.id}/reprint", **form).status_code == 410
    with services.make_session.begin() as writing:
        sweep(writing, now=clock())
    db.rollback()
    assert db.scalars(select(BatchKey.id)).all() == []


def test_a_replaced_ticket_is_printed_again_in_the_place_of_the_old_one(
    clerk: Clerk, services: Services
) -> None:
    (old,) = issue(clerk)
    batch = only_batch(services)
    clerk.get("/staff/desk")
    clerk.press("/staff/desk/find", wanted=old)
    voucher = clerk.follow() and re.search(r"/staff/passes/(\d+)/replace", clerk.page.text)
    assert voucher
    clerk.press(voucher[0])
    (new,) = dict.fromkeys(CODE.findall(clerk.follow().text))
    assert new != old and reprint(clerk, batch.id) == [new]


def test_a_stolen_database_prints_nothing(clerk: Clerk, services: Services, db: Session) -> None:
    """The key of a batch opens with the installation's secret alone, and for its own batch alone."""
    issue(clerk, "2")
    batch = only_batch(services)
    arguments = {"keys": services.voucher_keys, "now": services.clock()}
    foreign = EncryptedTokens(Secret("another-0123456789abcdefghijklmnopqrstuvwxyz"))
    with pytest.raises(InvalidToken):
        reprints.unused(db, batch.id, sealer=foreign, **arguments)
    issue(clerk, "2")
    moved = update(BatchKey).where(BatchKey.batch_id == batch.id + 1).values(batch_id=batch.id)
    db.rollback()
    db.execute(moved)
    with pytest.raises(InvalidToken):
        reprints.unused(db, batch.id, sealer=services.encrypted_tokens, **arguments)
    db.rollback()


def test_passes_for_a_later_day_are_printable_until_that_day_is_over(
    clerk: Clerk, services: Services, db: Session
) -> None:
    issue(clerk, first_day="2026-11-28", last_day="2026-11-29")
    issue(clerk, last_day="2026-11-30")
    issue(clerk, first_day="2027-06-01")
    now = services.clock()
    ends = [one.isoformat() for one in db.scalars(select(BatchKey.until).order_by(BatchKey.id))]
    assert ends[:2] == ["2026-11-28T23:00:00+00:00", "2026-11-24T23:00:00+00:00"]
    # What is far away is not kept until then.
    assert ends[2] <= (now + timedelta(days=31)).isoformat()


def test_an_organiser_gets_the_codes_as_a_file(clerk: Clerk, services: Services) -> None:
    codes = issue(clerk, "2", event="Fête du livre")
    answer = clerk.post(FILE, **clerk.form(FILE))
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    head, *lines = answer.data.decode("utf-8-sig").splitlines()
    assert head == '"Number";"Code";"Address"'
    assert [line.split(";")[1].strip('"') for line in lines] == codes
    assert f"https://portal.example.org/pass/{codes[0].replace('-', '')}" in lines[0]
    assert deeds(services) == ["passes issued", "codes exported"]


@pytest.mark.usefixtures("own_app")
def test_one_pass_goes_to_one_person_once_and_its_address_is_kept_nowhere(
    app: Flask, clerk: Clerk, services: Services, db: Session, tmp_path: Path
) -> None:
    with smtp_server(tmp_path) as mailbox:
        settings = replace(services.settings, smtp=mailbox.smtp)
        app.extensions["arobase"] = replace(services, settings=settings)
        first, second = issue(clerk, "2")
        mark = f"{only_batch(services).id}-2"
        form = {**clerk.form(MAIL), "mark": mark, "to": "ada@example.org", "language": "fr"}
        clerk.post(MAIL, **form)
        assert "handed to the mail server" in clerk.follow().text
        clerk.post(MAIL, **form)
        assert "handed to the mail server" in clerk.follow().text
        [message] = mailbox.messages
        body = message.get_body()
        assert body is not None
        text = body.get_content()
        assert (message["To"], message["Subject"]) == ("ada@example.org", "Wifi · Besançon")
        assert second in text and first not in text
        assert f"/pass/{second.replace('-', '')}" in text and "jusqu’à minuit" in text
        assert deeds(services) == ["passes issued", "pass mailed"]
        # What does not leave is told as such, and can be sent again from the page.
        fresh = {**form, **clerk.form(MAIL)}
        refused = clerk.post(MAIL, **{**fresh, "to": "ada@example.org\nBcc: eve@example.org"})
        assert refused.status_code == 400 and "No message can go to this address." in refused.text
        mailbox.answers["DATA"] = "451 later"
        refused = clerk.post(MAIL, **{**fresh, **clerk.form(MAIL)})
        assert refused.status_code == 502 and "The message was not sent." in refused.text
        mailbox.answers.clear()
        assert clerk.post(MAIL, **{**fresh, **clerk.form(MAIL)}).status_code == 303
        assert len(mailbox.messages) == 2
    for table in (AuditEntry.detail, StaffAnswer.place):
        assert "ada@" not in repr(db.scalars(select(table)).all())


def test_without_a_mail_server_no_page_offers_it(clerk: Clerk, services: Services) -> None:
    assert services.settings.smtp is None
    issue(clerk)
    assert MAIL not in clerk.page.text and FILE in clerk.page.text
