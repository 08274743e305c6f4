"""FakeGateways: held in this process, and told of each change at once."""

from __future__ import annotations

from flask import current_app

from gateways.fake.gateway import FakeGateway
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.endpoints import Endpoint
from portal.services import services
from sessions import feed
from sites.models import Gateway


def fake_gateway(gateway_id: int) -> FakeGateway:
    """The FakeGateway of this record in this process; it begins knowing nothing."""
    held: dict[int, FakeGateway] = current_app.extensions.setdefault("arobase.fake_gateways", {})
    return held.setdefault(gateway_id, FakeGateway())


def notify(gateway: Gateway) -> None:
    """Give it what has changed, and confirm what it has taken."""
    fake, now = fake_gateway(gateway.id), services().clock()
    with services().make_session.begin() as db:
        news = feed.read(db, gateway_id=gateway.id, since=fake.version, now=now)
        fake.take(version=news.version, full=news.full, grants=news.grants, ends=news.ends)
        confirm(db, gateway_id=gateway.id, version=news.version, refused={}, now=now)


ENDPOINT = Endpoint(notify=notify)
