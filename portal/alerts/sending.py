"""The round that sends alerts: to every recipient by e-mail, and to the webhook.

What is told is claimed in one short transaction, sent in none, and written down in another. A mail server that is away
holds nobody up but its own recipients: what did not get through is tried again later, and is a trouble itself.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from db.engine import reading
from portal import mail
from portal.alerts.webhook import UndeliveredWebhook, Webhook, post
from portal.alerts.words import document_of, subject_of, text_of
from portal.i18n.translation import speaking, town_language
from portal.services import Services
from sessions.alerts import messages, recipients
from sessions.alerts.messages import Claimed, Target

log = logging.getLogger(__name__)

WEBHOOK = "webhook"


class Undelivered(Exception):
    """The other side did not take it; the text says why, and names nobody."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one target is told: what it hears, in which language, and the act of telling."""

    target: Target
    language: str
    deliver: Callable[[Sequence[Claimed]], None]


class Round:
    """Sends in a thread of its own, so that the sweep waits for no mail server."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._thread: threading.Thread | None = None

    def begin(self, service: Services) -> None:
        """Send what is due, unless the round before still goes on."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._send, args=(service,), daemon=True, name="alerts")
            self._thread.start()

    def _send(self, service: Services) -> None:
        with self._app.app_context():
            try:
                send_due(service)
            except SQLAlchemyError as error:
                log.warning("alerts could not use the database: %s", type(error).__name__)


def send_due(service: Services) -> None:
    """Tell every target what it is to be told now."""
    for way in ways(service):
        tell(service, way)


def tell(service: Services, way: Way) -> None:
    """One target: all that is due to it, in one message."""
    zone, now = service.settings.zone, service.clock()
    with service.make_session.begin() as db:
        claimed = messages.claim(db, way.target, zone=zone, now=now)
        db.expunge_all()
    if not claimed:
        return
    numbers = [one.id for one in claimed]
    try:
        with speaking(way.language):
            way.deliver(claimed)
    except Undelivered as error:
        log.warning("alert not delivered to %s: %s", way.target.name, error)
        with service.make_session.begin() as db:
            messages.failed(db, numbers, reason=str(error))
        return
    with service.make_session.begin() as db:
        messages.sent(db, numbers, now=service.clock())


def ways(service: Services) -> list[Way]:
    """Everybody who is told, and the webhook."""
    found = list(_by_mail(service))
    webhook = webhook_of(service)
    if webhook is not None:
        found.append(Way(Target(WEBHOOK), town_language(), lambda told: _post(service, webhook, told)))
    return found


def webhook_of(service: Services) -> Webhook | None:
    """Where alerts are posted, if anywhere."""
    settings = service.settings
    return (
        Webhook(settings.alert_webhook_url, settings.alert_webhook_key)
        if settings.alert_webhook_url
        else None
    )


def by_mail(service: Services, address: str, subject: str, text: str) -> None:
    """Send one message; raises `Undelivered`."""
    smtp = service.settings.smtp
    if smtp is None:
        raise Undelivered("no mail server is set (AROBASE_SMTP_URL)")
    try:
        mail.send(smtp, mail.Message(address, subject, text), now=service.clock())
    except mail.UncertainDelivery as error:
        # It may have arrived: a second one would wake people for nothing.
        log.warning("an alert may not have arrived: %s", error.reason)
    except mail.MailError as error:
        raise Undelivered(error.reason) from error


def _by_mail(service: Services) -> Iterator[Way]:
    with reading(service.make_session) as db:
        found = recipients.every(db)
        db.expunge_all()
    for one in found:
        target = Target(f"mail:{one.id}", one.least, one.quiet, one.woken_by_broken)

        def deliver(told: Sequence[Claimed], address: str = one.address) -> None:
            by_mail(service, address, subject_of(told), text_of(told))

        yield Way(target, one.language, deliver)


def _post(service: Services, webhook: Webhook, told: Sequence[Claimed]) -> None:
    # The same messages have the same number, whenever they are sent.
    number = hashlib.sha256(" ".join(str(one.id) for one in told).encode()).hexdigest()[:32]
    try:
        post(webhook, document_of(told), number=number, now=service.clock())
    except UndeliveredWebhook as error:
        raise Undelivered(str(error)) from error
