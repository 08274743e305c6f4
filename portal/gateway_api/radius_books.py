"""Accounting by RADIUS, taken into the books."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from sqlalchemy.orm import Session

from db.engine import async_commit
from gateways.radius import accounting
from gateways.radius.accounting import Record, Status
from gateways.radius.attributes import Attributes
from gateways.registry import kind_of
from portal.gateway_api import radius_credentials
from portal.gateway_api.confirmation import confirm_some
from portal.services import services
from sessions import nas_sessions
from sites.models import Gateway


def take(gateway: Gateway, packet: Attributes) -> None:
    """Store what the packet says. Raises MalformedRequest."""
    profile = kind_of(gateway.kind).radius
    assert profile is not None
    record = accounting.read(
        packet, counts_by=gateway.option("counts_by"), default_view=profile.counts_by_default
    )
    if record is None:
        return
    if record.number is None:
        # Some boxes keep no Class; the user of ours says as much.
        record = replace(record, number=radius_credentials.number_of(gateway, record.names.user))
    interim_seconds = int(gateway.option("interim_seconds"))
    with _transaction(record) as db:
        now = services().clock()
        taken = nas_sessions.take(
            db, gateway=gateway, record=record, interim_seconds=interim_seconds, now=now
        )
        if taken.passing:
            confirm_some(db, gateway_id=gateway.id, numbers=taken.passing, now=now)


def _transaction(record: Record) -> AbstractContextManager[Session]:
    """What an interim update says, the next one says again: its commit need not wait for the disk."""
    make_session = services().make_session
    return async_commit(make_session) if record.status is Status.INTERIM else make_session.begin()
