"""Who is told what, and when: from the table of troubles to a mail server and a webhook that are really there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from auth.audit.actor import command_line
from config import MailSecurity, Secret
from portal.alerts.sending import send_due
from portal.app import create_app
from portal.services import Services
from portal.troubles import UNDELIVERED_AFTER, detectors_of, look_once
from sessions.alerts import messages, recipients
from sessions.alerts.messages import Target, retry_after
from sessions.alerts.models import Message
from sessions.alerts.recipients import Wish
from sessions.troubles import kinds
from sessions.troubles.kinds import Severity, TroubleKind
from sessions.troubles.models import Trouble
from sessions.troubles.service import SETTLED_AFTER, Found, open_troubles, record
from tests.clock import MovingClock
from tests.portal.alerts.receiver import Receiver, receiving
from tests.services.smtp_server import Mailbox, smtp_server

MINUTE = timedelta(minutes=1)


class Told:
    """A portal whose alerts really leave."""

    def __init__(self, services: Services, app: Flask, clock: MovingClock) -> None:
        self.services, self.app, self.clock = services, app, clock

    def lasts(self, kind: TroubleKind, *subjects: str) -> None:
        found = [
            Found(kind, one, self.clock(), detail={"site": f"Gare {one}", "site_slug": one})
            for one in subjects
        ]
        with self.services.make_session.begin() as db:
            record(db, (kind,), found, now=self.clock())

    def sweep(self) -> None:
        with self.app.app_context():
            send_due(self.services)

    def tell(self, address: str, **wish: object) -> None:
        with self.services.make_session.begin() as db:
            asked = replace(Wish(address, "fr"), **wish)  # type: ignore[arg-type]
            recipients.add(db, asked, actor=command_line(), now=self.clock())


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with smtp_server(tmp_path, MailSecurity.STARTTLS) as mailbox:
        yield mailbox


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def told(services: Services, clock: MovingClock, mailbox: Mailbox, receiver: Receiver) -> Told:
    settings = replace(services.settings, smtp=mailbox.smtp, alert_webhook_url=Secret(receiver.url))
    services = replace(services, settings=settings)
    return Told(services, create_app(services), clock)


def subjects(mailbox: Mailbox) -> list[str]:
    return [str(one["Subject"]).replace("\N{NO-BREAK SPACE}", " ") for one in mailbox.messages]


def test_a_trouble_is_told_once_and_its_end_once(told: Told, mailbox: Mailbox, receiver: Receiver) -> None:
    told.tell("reseau@ville.fr")
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    for _ in range(5):
        told.sweep()
        told.clock.now += MINUTE
    [first] = mailbox.messages
    assert first["To"] == "reseau@ville.fr"
    assert subjects(mailbox) == ["[Besançon] en panne : Gare viotte : la passerelle viotte ne répond plus"]
    assert "https://portal.example.org/staff/gateways/viotte" in first.get_content()
    told.lasts(kinds.GATEWAY_SILENT)
    told.clock.now += SETTLED_AFTER
    told.sweep()
    told.sweep()
    assert len(mailbox.messages) == 2 and "Besançon] fini : " in subjects(mailbox)[1]
    assert [json.loads(one.body)["troubles"][0]["stage"] for one in receiver.received] == ["began", "over"]
    posted = json.loads(receiver.received[0].body)
    assert (
        posted["text"].replace("\N{NO-BREAK SPACE}", " ")
        == "en panne : Gare viotte : la passerelle viotte ne répond plus"
    )
    assert posted["troubles"][0]["subject"] == "viotte"


def test_a_line_that_comes_and_goes_is_told_once(told: Told, receiver: Receiver) -> None:
    for _ in range(6):
        told.lasts(kinds.GATEWAY_SILENT, "viotte")
        told.sweep()
        told.clock.now += 2 * MINUTE
        told.lasts(kinds.GATEWAY_SILENT)
        told.sweep()
        told.clock.now += 2 * MINUTE
    assert len(receiver.received) == 1


def test_one_that_is_back_within_the_hour_is_told_when_the_hour_is_over(
    told: Told, receiver: Receiver
) -> None:
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    told.lasts(kinds.GATEWAY_SILENT)
    told.clock.now += SETTLED_AFTER + MINUTE
    told.sweep()
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    assert len(receiver.received) == 2, "began and over, and not yet again"
    told.clock.now += messages.REPEATED_AFTER
    told.sweep()
    assert len(receiver.received) == 3


def test_a_cut_fibre_is_one_message(told: Told, mailbox: Mailbox, receiver: Receiver) -> None:
    told.tell("reseau@ville.fr")
    told.lasts(kinds.GATEWAY_SILENT, *(f"site-{number}" for number in range(40)))
    told.sweep()
    assert subjects(mailbox) == ["[Besançon] 40 changements dans les pannes"]
    assert mailbox.messages[0].get_content().count("/staff/gateways/site-") == 40
    assert len(receiver.received) == 1


def test_nobody_is_woken_in_quiet_hours_but_who_asked_to_be(told: Told, mailbox: Mailbox) -> None:
    quiet = {"quiet_from": "22:00", "quiet_until": "07:00"}
    told.tell("jour@ville.fr", **quiet)
    told.tell("astreinte@ville.fr", woken_by_broken=True, **quiet)
    told.clock.now = told.clock.now.replace(hour=22, minute=30)
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.lasts(kinds.GATEWAY_DRIFTING, "battant")
    told.sweep()
    assert [one["To"] for one in mailbox.messages] == ["astreinte@ville.fr"]
    assert "viotte" in subjects(mailbox)[0]
    told.lasts(kinds.GATEWAY_DRIFTING)
    told.clock.now += timedelta(hours=7, minutes=29)
    told.sweep()
    assert len(mailbox.messages) == 1
    told.clock.now += MINUTE
    told.sweep()
    # What was over by then is told to nobody.
    assert [one["To"] for one in mailbox.messages[1:]] == ["jour@ville.fr"]
    assert not any("battant" in text for text in subjects(mailbox))


def test_a_recipient_hears_what_was_asked_for(told: Told, mailbox: Mailbox) -> None:
    told.tell("pannes@ville.fr", least=Severity.BROKEN)
    told.lasts(kinds.GATEWAY_DRIFTING, "battant")
    told.sweep()
    assert not mailbox.messages
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    assert len(mailbox.messages) == 1


def test_what_does_not_get_through_is_tried_again_and_is_a_trouble_itself(
    told: Told, mailbox: Mailbox, receiver: Receiver
) -> None:
    told.tell("reseau@ville.fr")
    mailbox.answers["RCPT"] = "450 4.2.1 greylisted"
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    told.sweep()
    with told.services.make_session() as db:
        waiting = db.scalars(select(Message).where(Message.sent_at.is_(None))).one()
        assert waiting.attempts == 1 and "450" in waiting.failure
    # The webhook is told all the same.
    assert len(receiver.received) == 1
    told.clock.now += UNDELIVERED_AFTER + MINUTE
    told.sweep()
    alerts = next(one for one in detectors_of(told.services) if one.name == "alerts")
    look_once(told.services, alerts, now=told.clock())
    with told.services.make_session() as db:
        assert kinds.ALERTS_UNDELIVERED.name in [row.kind for row in open_troubles(db)]
    told.sweep()
    assert json.loads(receiver.received[-1].body)["troubles"][0]["kind"] == kinds.ALERTS_UNDELIVERED.name
    mailbox.answers.clear()
    told.clock.now += timedelta(hours=1)
    told.sweep()
    assert any("viotte" in one.get_content() for one in mailbox.messages)


def test_the_times_between_attempts_grow_to_half_an_hour() -> None:
    waits = [retry_after(attempts) for attempts in range(9)]
    assert waits[:5] == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE]
    assert set(waits[5:]) == {30 * MINUTE}


def test_two_sweeps_at_once_send_one(told: Told) -> None:
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    target, zone, now = Target("webhook"), told.services.settings.zone, told.clock()
    with told.services.make_session.begin() as db:
        assert len(messages.claim(db, target, zone=zone, now=now)) == 1
    with told.services.make_session.begin() as db:
        assert not messages.claim(db, target, zone=zone, now=now)
    # Whoever died before sending leaves it to the next, once the attempt is due again.
    with told.services.make_session.begin() as db:
        assert len(messages.claim(db, target, zone=zone, now=now + MINUTE)) == 1


def test_what_was_told_goes_with_its_trouble(told: Told) -> None:
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    with told.services.make_session.begin() as db:
        db.delete(db.scalars(select(Trouble)).one())
    with told.services.make_session() as db:
        assert db.scalar(select(func.count()).select_from(Message)) == 0


def test_nothing_of_a_message_is_in_the_log(
    told: Told, caplog: pytest.LogCaptureFixture, mailbox: Mailbox
) -> None:
    told.tell("reseau@ville.fr")
    mailbox.answers["RCPT"] = "550 5.1.1 no such user reseau@ville.fr"
    told.lasts(kinds.GATEWAY_SILENT, "viotte")
    told.sweep()
    assert "not delivered to mail:" in caplog.text
    assert "reseau@ville.fr" not in caplog.text
