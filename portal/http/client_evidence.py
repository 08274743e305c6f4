"""What is known of a card: behind which address a gateway saw it, a hint and no proof, and which session it has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ads.online import Online, find
from db.engine import reading
from gateways.types import IpAddress, MacAddress
from portal.services import services
from sessions import clients, confirmations
from sessions.clients import SeenAccess
from sessions.sightings import behind
from sites.models import Gateway, SigninMethod

Found = TypeVar("Found")

# A gateway tells of a new address within a few hundredths of a second; a machine that asks us is quicker still.
WAIT_SECONDS = 1.0
# How many requests of this process may wait for a gateway's word at the same time.
WAITING = threading.BoundedSemaphore(4)


def seen_behind(candidates: list[Gateway], address: IpAddress) -> tuple[Gateway, MacAddress] | None:
    """Which of these gateways saw `address` last, and whose it is there; None where that is not one answer."""
    if not candidates:
        return None
    by_id = {gateway.id: gateway for gateway in candidates}
    with reading(services().make_session) as db:
        seen = behind(db, address, gateway_ids=by_id)
    if len(seen) != 1:
        return None
    gateway_id, mac = seen[0]
    return by_id[gateway_id], mac


def await_seen(gateway: Gateway, address: IpAddress) -> MacAddress | None:
    """Whose `address` is at this gateway; where that is not known yet, after waiting shortly for its word."""

    def look() -> MacAddress | None:
        seen = seen_behind([gateway], address)
        return None if seen is None else seen[1]

    return await_found(look)


def await_found(look: Callable[[], Found | None]) -> Found | None:
    """What `look` finds, looking again after every commit, at most for `WAIT_SECONDS`.

    Only so many wait; the others have what is known at once.
    """
    if (found := look()) is not None or not WAITING.acquire(blocking=False):
        return found
    try:
        return _await(look)
    finally:
        WAITING.release()


def _await(look: Callable[[], Found | None]) -> Found | None:
    wake, deadline = services().wake, time.monotonic() + WAIT_SECONDS
    while True:
        count = wake.count
        found = look()
        left = deadline - time.monotonic()
        if found is not None or left <= 0:
            return found
        wake.wait(count, left)


def open_session(gateway: Gateway, mac: MacAddress) -> SeenAccess | None:
    """The open access session that a guest has with this card on the gateway's network, at whichever site."""
    online = guest_online(gateway, mac)
    return None if online is None else online.access


def guest_online(gateway: Gateway, mac: MacAddress) -> Online | None:
    """The same, with what its page tells. Not the session of a device that the town manages: no page
    shows that, nobody ends it here.
    """
    service = services()
    with reading(service.make_session) as db:
        online = find(db, gateway=gateway, mac=mac, now=service.clock())
    return online if online is None or online.access.method is not SigninMethod.MANAGED else None


def was_of(access_id: int, mac: MacAddress) -> bool:
    """Whether this access session, open or over, is of this card."""
    with reading(services().make_session) as db:
        return clients.mac_of(db, access_id) == mac


def is_let_pass(access: SeenAccess, gateway: Gateway) -> bool:
    """Whether this session has a running lease at this gateway."""
    service = services()
    with reading(service.make_session) as db:
        return confirmations.has_running_lease(
            db, access_id=access.id, gateway_id=gateway.id, now=service.clock()
        )
