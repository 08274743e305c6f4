"""Accounting by RADIUS, taken into the books."""

from __future__ import annotations

from collections.abc import Sequence
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
from sessions import nas_accesses, nas_sessions
from sites.models import Gateway


def take(gateway: Gateway, packet: Attributes) -> None:
    """Store what the packet says. Raises MalformedRequest."""
    record = read(gateway, packet)
    if record is not None and record.status is Status.RESTART:
        with services().make_session.begin() as db:
            now = services().clock()
            nas_sessions.restart(db, gateway=gateway, record=record, now=now)
    elif record is not None:
        enter(gateway, [record])


def read(gateway: Gateway, packet: Attributes) -> Record | None:
    """What the packet says; None where that is nothing of a session. Raises MalformedRequest."""
    profile = kind_of(gateway.kind).radius
    assert profile is not None
    record = accounting.read(
        packet, counts_by=gateway.option("counts_by"), default_view=profile.counts_by_default
    )
    if record is not None and record.number is None:
        # Some boxes keep no Class; the user of ours says as much.
        record = replace(record, number=radius_credentials.number_of(gateway, record.names.user))
    return record


def enter(gateway: Gateway, records: Sequence[Record]) -> None:
    """Store in one transaction what these records of one gateway say, each of a session of another device."""
    interim_seconds = int(gateway.option("interim_seconds"))
    service = services()

    def store(db: Session) -> None:
        now = service.clock()
        taken = nas_sessions.take_all(
            db, gateway=gateway, records=records, interim_seconds=interim_seconds, now=now
        )
        if taken.passing:
            confirm_some(db, gateway_id=gateway.id, numbers=taken.passing, now=now)
        nas_accesses.let_go(db, gateway=gateway, gone=taken.gone, now=now)

    # What an interim update says, the next one says again: its commit need not wait for the disk.
    if all(record.status is Status.INTERIM for record in records):
        async_commit(service.make_session, store)
    else:
        with service.make_session.begin() as db:
            store(db)
