"""How a doorman is told whom to let in: it is called, with everybody who may be inside."""

from __future__ import annotations

import logging

from gateways.doorman.box import DOORMEN  # type: ignore[import-not-found]

from db.engine import reading
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.endpoints import Endpoint
from portal.services import services
from sessions import feed
from sites.models import Gateway


def notify(gateway: Gateway) -> None:
    now = services().clock()
    with reading(services().make_session) as db:
        whole = feed.read(db, gateway_id=gateway.id, since=0, now=now)
    try:
        DOORMEN[gateway.identity].let_in_only(grant.client.mac for grant in whole.grants)
    except ConnectionError as error:
        logging.getLogger(__name__).warning("%s: %s", gateway.identity, error)
        return
    with services().make_session.begin() as db:
        confirm(db, gateway_id=gateway.id, version=whole.version, refused={}, now=now)


ENDPOINT = Endpoint(notify=notify)
