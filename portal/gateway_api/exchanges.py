"""What the portal keeps of its exchanges with a gateway: that it has spoken, and the last words of both."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from portal.services import services
from sessions.gateway_health import dialogues, outages
from sites.models import Gateway

log = logging.getLogger(__name__)
HEARD_EVERY = timedelta(seconds=15)


def heard(gateway: Gateway) -> None:
    """The gateway has spoken. Written down at most once in `HEARD_EVERY`: a poll costs nothing."""
    now = services().clock()
    last: dict[int, datetime] = current_app.extensions.setdefault("arobase.gateways_heard", {})
    if gateway.id in last and timedelta(0) <= now - last[gateway.id] < HEARD_EVERY:
        return
    with services().make_session.begin() as db:
        outages.hear(db, gateway_id=gateway.id, now=now)
    last[gateway.id] = now


def note(gateway: Gateway, said: str, answered: str, *, secrets: tuple[str, ...] = ()) -> None:
    """Keep one exchange for the staff's page, with every text of `secrets` masked. What is not worth a reader's time,
    a poll that found nothing, is not to be noted. A database that is away is no reason to fail: the log has it."""
    for secret in filter(None, secrets):
        said, answered = said.replace(secret, "***"), answered.replace(secret, "***")
    try:
        with services().make_session.begin() as db:
            dialogues.note(db, gateway_id=gateway.id, said=said, answered=answered, now=services().clock())
    except SQLAlchemyError as error:
        log.warning(
            "an exchange with gateway %s could not be kept: %s", gateway.identity, type(error).__name__
        )
