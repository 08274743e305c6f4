"""The page that says who is told of troubles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from auth.staff.roles import Role
from config import MailSecurity, Secret
from portal.app import create_app
from portal.services import Services
from sessions.alerts.models import Recipient
from tests.clock import MovingClock
from tests.portal.alerts.receiver import Receiver, receiving
from tests.portal.staff.conftest import Clerk, Desk
from tests.services.smtp_server import Mailbox, smtp_server
from tests.town import Town


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with smtp_server(tmp_path, MailSecurity.STARTTLS) as mailbox:
        yield mailbox


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def clerk(services: Services, town: Town, clock: MovingClock, mailbox: Mailbox, receiver: Receiver) -> Clerk:
    """Somebody of the network team, in a town that has a mail server and a chat."""
    settings = replace(services.settings, smtp=mailbox.smtp, alert_webhook_url=Secret(receiver.url))
    services = replace(services, settings=settings)
    found = Desk(create_app(services), clock).at_work("noe.perrin", Role.NETWORK)
    found.headers = {"Accept-Language": "fr"}
    return found


def add(clerk: Clerk, address: str = "reseau@ville.fr", **fields: str) -> str:
    clerk.get("/staff/alerts")
    clerk.press("/staff/alerts", address=address, **fields)
    return clerk.led().text


def test_who_is_told_stands_on_the_page(clerk: Clerk, services: Services) -> None:
    page = add(clerk, quiet_from="22:00", quiet_until="7h00", least="broken", woken_by_broken="yes")
    assert (
        "reseau@ville.fr" in page and "de 22:00 à 07:00" in page and "sauf pour ce qui est en panne" in page
    )
    with services.make_session() as db:
        [one] = db.scalars(select(Recipient))
        assert one.woken_by_broken and one.added_by == "noe.perrin"


@pytest.mark.parametrize(
    ("address", "fields", "words"),
    [
        ("nobody", {}, "pas une adresse"),
        ("a@ville.fr\r\nBcc: b@ville.fr", {}, "pas une adresse"),
        ("a@ville.fr", {"quiet_from": "22:00"}, "pas des heures de silence"),
        ("a@ville.fr", {"quiet_from": "soon", "quiet_until": "07:00"}, "pas des heures de silence"),
        ("a@ville.fr", {"quiet_from": "07:00", "quiet_until": "07:00"}, "pas des heures de silence"),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    clerk: Clerk, services: Services, address: str, fields: dict[str, str], words: str
) -> None:
    page = add(clerk, address, **fields)
    assert words in page and clerk.page.status_code == 400
    assert all(f'value="{value}"' in page for value in fields.values())
    with services.make_session() as db:
        assert not db.scalars(select(Recipient)).all()


def test_nobody_is_told_twice(clerk: Clerk) -> None:
    add(clerk)
    assert "déjà dans la liste" in add(clerk)


def test_a_trial_arrives(clerk: Clerk, mailbox: Mailbox, receiver: Receiver) -> None:
    add(clerk)
    clerk.press("/staff/alerts/1/test")
    [trial] = mailbox.messages
    assert trial["To"] == "reseau@ville.fr" and trial["Subject"] == "[Besançon] essai des alertes"
    assert "Vérifiez" in clerk.follow().text
    clerk.press("/staff/alerts/webhook/test")
    assert b"essai des alertes" in receiver.received[0].body
    # Of the address, the host alone.
    page = clerk.get("/staff/alerts").text
    assert "127.0.0.1" in page and "a-secret-word" not in page


def test_a_trial_that_does_not_arrive_says_why(clerk: Clerk, mailbox: Mailbox, receiver: Receiver) -> None:
    add(clerk)
    mailbox.answers["RCPT"] = "550 5.1.1 no such user"
    clerk.press("/staff/alerts/1/test")
    assert clerk.page.status_code == 502 and "550 5.1.1" in clerk.page.text
    receiver.answers = [410]
    clerk.get("/staff/alerts")
    clerk.press("/staff/alerts/webhook/test")
    assert clerk.page.status_code == 502 and "it answered 410" in clerk.page.text


def test_whoever_is_taken_off_is_told_no_more_and_leaves_no_address(clerk: Clerk, services: Services) -> None:
    add(clerk)
    clerk.press("/staff/alerts/1/remove")
    page = clerk.get("/staff/alerts").text
    assert "reseau@ville.fr" not in page
    with services.make_session() as db:
        [one] = db.scalars(select(Recipient))
        assert one.retired_at is not None and not one.address
    assert "reseau@ville.fr" in add(clerk)


def test_without_a_mail_server_the_page_says_so(services: Services, town: Town, clock: MovingClock) -> None:
    clerk = Desk(create_app(services), clock).at_work("noe.perrin", Role.NETWORK)
    assert "AROBASE_SMTP_URL" in clerk.get("/staff/alerts").text
