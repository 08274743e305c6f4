"""FakeGateways: held in this process, and notified of each change at once."""

from __future__ import annotations

from flask import current_app

from gateways.fake.gateway import FakeGateway
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.endpoints import Endpoint
from portal.services import services
from sessions import feed
from sites.models import Gateway

# Where the application keeps them, by the id of their records.
HELD = "arobase.fake_gateways"


def fake_gateway(gateway: Gateway) -> FakeGateway:
    """The FakeGateway of this record in this process; a new one begins with all leases that run."""
    held: dict[int, FakeGateway] = current_app.extensions.setdefault(HELD, {})
    if gateway.id not in held:
        held[gateway.id] = FakeGateway()
        notify(gateway)
    return held[gateway.id]


def notify(gateway: Gateway) -> None:
    """Give it what has changed, and confirm what it has taken."""
    fake, now = fake_gateway(gateway), services().clock()
    with services().make_session.begin() as db:
        news = feed.read(db, gateway_id=gateway.id, since=fake.version, now=now)
        fake.take(version=news.version, full=news.full, grants=news.grants, ends=news.ends)
        confirm(db, gateway_id=gateway.id, version=news.version, refused={}, now=now)


ENDPOINT = Endpoint(notify=notify)
