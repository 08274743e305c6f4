"""The newest row of the log that has a device, an address or a person: a session, else a denial.

Each function looks in the networks of `authority_networks` (slugs; none: all) and gives the session's id, else the
denial's code, else None.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sessions.log.query import network_ids
from sessions.models import AccessSession, Decision


def newest_of_device(db: Session, mac: str, *, authority_networks: Collection[str]) -> int | str | None:
    return _newest(db, AccessSession.mac, Decision.mac, mac, authority_networks)


def newest_of_address(db: Session, address: str, *, authority_networks: Collection[str]) -> int | str | None:
    return _newest(db, AccessSession.address, Decision.address, address, authority_networks)


def newest_of_person(db: Session, subject: str, *, authority_networks: Collection[str]) -> int | str | None:
    """`subject` is a whole pseudonym."""
    return _newest(db, AccessSession.subject, Decision.subject, subject, authority_networks)


def _newest(
    db: Session,
    column: InstrumentedAttribute[str],
    of_denial: InstrumentedAttribute[str | None],
    value: str,
    authority_networks: Collection[str],
) -> int | str | None:
    own = network_ids(db, None, authority_networks)
    here: list[ColumnElement[bool]] = [] if own is None else [AccessSession.network_id.in_(own)]
    access_id = db.scalar(
        select(AccessSession.id)
        .where(column == value, *here)
        .order_by(AccessSession.started_at.desc(), AccessSession.id.desc())
        .limit(1)
    )
    if access_id is not None:
        return access_id
    here = [] if own is None else [Decision.network_id.in_(own)]
    return db.scalar(
        select(Decision.code).where(of_denial == value, *here).order_by(Decision.at.desc()).limit(1)
    )
