"""The open session of a client with all that its page tells: one question, which a crowd asks twice for each phone."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import acceptances
from db.prepared import Prepared
from sessions import accounting, clients, confirmations
from sessions.clients import ID, SEEN, SeenAccess
from sites.models import Gateway


class Online(NamedTuple):
    """An open session, and until when the kernel of a gateway lets it pass, as far as that has confirmed, and whether
    that is all it is to.

    `devices` says how many are online with its entitlement, itself included; `further_id` names the message that it was
    opened or renewed with last, where that has something further to read.
    """

    access: SeenAccess
    confirmed_until: datetime | None
    is_confirmed: bool
    devices: int
    bytes_up: int
    bytes_down: int
    further_id: int | None


def find(db: Session, *, gateway: Gateway, mac: str, now: datetime) -> Online | None:
    """The open session of this client on the network of this gateway, at whichever site."""
    row = _ONLINE.first(db, network=gateway.network_id, client=mac, at=now, gateway=gateway.id)
    return None if row is None else Online(SeenAccess._make(row[:_SEEN]), *row[_SEEN:])


_SEEN = len(SEEN)
_ONLINE = Prepared(
    select(
        *SEEN,
        confirmations.confirmed_until(ID).label("confirmed_until"),
        confirmations.is_last_confirmed(ID).label("is_confirmed"),
        clients.count_devices().label("devices"),
        accounting.sum_of("bytes_up", ID).label("bytes_up"),
        accounting.sum_of("bytes_down", ID).label("bytes_down"),
        acceptances.further_of(ID).label("further_id"),
    ).where(*clients.IS_HERE)
)
