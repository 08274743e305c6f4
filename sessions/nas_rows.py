"""The rows of sessions of RADIUS accounting, as plain values: one packet reads one, and writes it once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import Insert, for_either, table_of
from sessions.models import NasSession

# Of one Acct-Session-Id and MAC address, only the last few lives can still have packets on their way.
LIVES = 4


@dataclass(slots=True)
class NasRow:
    """What is known of one session at a gateway (`NasSession` says what each is)."""

    id: int
    gateway_id: int
    mac: str
    life: int
    access_id: int | None
    framed_address: str
    started_at: datetime
    nas_started_at: datetime | None
    clock_offset: int | None
    last_heard_at: datetime
    lost_at: datetime
    stopped_at: datetime | None
    stop_cause: str = ""
    is_stop_told: bool = False
    seconds: int = 0
    sequence: int = -1
    bytes_up: int = 0
    bytes_down: int = 0
    packets_up: int = 0
    packets_down: int = 0
    last_bytes_up: int = 0
    last_bytes_down: int = 0
    last_packets_up: int = 0
    last_packets_down: int = 0


def lives(db: Session, *, gateway_id: int, session_id: str, mac: str) -> list[NasRow]:
    """The sessions of this name, the newest first, each the transaction's own until its end."""
    return [NasRow(*row) for row in _LIVES.all(db, gateway=gateway_id, session=session_id, named=mac)]


def add(db: Session, row: NasRow, names: dict[str, str]) -> NasRow | None:
    """Add a session whose box, user and station have these names; None where it is there by now."""
    number = _ADD.scalar(db, **_values(row), **names)
    if number is None:
        return None
    row.id = number
    return row


def save(db: Session, row: NasRow) -> None:
    """Write down what has become of a session."""
    _SAVE.run(db, number=row.id, **_values(row))


def _values(row: NasRow) -> dict[str, Any]:
    return dict(zip(_WRITTEN, _written(row), strict=True))


def _add(insert: Insert) -> Executable:
    added: Executable = insert(_sessions).on_conflict_do_nothing().returning(_sessions.c.id)
    return added


_NAMES = tuple(field.name for field in fields(NasRow))
_WRITTEN = tuple(name for name in _NAMES if name != "id")
_written = attrgetter(*_WRITTEN)
_sessions = table_of(NasSession)
_ADD = Prepared(for_either(_add))
_SAVE = Prepared(
    update(_sessions)
    .where(_sessions.c.id == bindparam("number"))
    .values({name: bindparam(name, type_=_sessions.c[name].type) for name in _WRITTEN})
)
_LIVES = Prepared(
    select(*(_sessions.c[name] for name in _NAMES))
    .where(
        _sessions.c.gateway_id == bindparam("gateway"),
        _sessions.c.acct_session_id == bindparam("session"),
        _sessions.c.mac == bindparam("named"),
    )
    .order_by(_sessions.c.life.desc())
    .limit(LIVES)
    .with_for_update()
)
