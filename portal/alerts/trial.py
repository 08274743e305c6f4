"""A message that says nothing is wrong, to see that one would arrive."""

from __future__ import annotations

from portal.alerts.sending import Undelivered
from portal.alerts.webhook import UndeliveredWebhook, Webhook
from portal.alerts.webhook import post as post_to
from portal.i18n.translation import say
from portal.services import services


def subject() -> str:
    return "[{}] {}".format(services().settings.town, say("trial of the alerts"))


def text() -> str:
    return say("Nothing is wrong. This message shows that an alert would arrive.") + "\n"


def post(webhook: Webhook) -> None:
    """Post one; raises `portal.alerts.sending.Undelivered`."""
    service = services()
    document = {"text": f"{subject()}: {text().strip()}", "town": service.settings.town, "troubles": []}
    now = service.clock()
    try:
        post_to(webhook, document, number=f"trial-{int(now.timestamp())}", now=now)
    except UndeliveredWebhook as error:
        raise Undelivered(str(error)) from error
