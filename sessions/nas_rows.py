"""The rows of sessions of RADIUS accounting, as plain values: each packet reads its own, and writes it once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Executable, Select, String, bindparam, select, true, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from db.each import ForEach
from db.session import driver_of
from db.statements import ForEither, for_either, table_of
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


class Names(NamedTuple):
    """What a box calls itself, a session and its client."""

    nas: str
    acct_session_id: str
    user_name: str
    calling_station_id: str
    nas_identifier: str
    nas_address: str


def lives(
    db: Session, *, gateway_id: int, names: Sequence[tuple[str, str]]
) -> defaultdict[str, list[NasRow]]:
    """The sessions of these names, Acct-Session-Id and MAC address, by the address, of which each comes once.

    The newest comes first; each is the transaction's own until its end.
    """
    found = defaultdict[str, list[NasRow]](list)
    # On a town's first day there were none when PostgreSQL counted them, and soon there are thousands.
    driver_of(db).look_by_index()
    for row in _LIVES.all(db, sorted(names), gateway=gateway_id):
        session = NasRow(*row)
        found[session.mac].append(session)
    for sessions in found.values():
        sessions.sort(key=attrgetter("life"), reverse=True)
    return found


def add(db: Session, rows: Sequence[tuple[NasRow, Names]]) -> None:
    """Add sessions, and number those that were not there by now."""
    numbers = {mac: number for number, mac in _ADD.all(db, [(*_written(row), *names) for row, names in rows])}
    for row, _ in rows:
        row.id = numbers.get(row.mac, 0)


def save(db: Session, rows: Sequence[NasRow]) -> None:
    """Write down what has become of these sessions."""
    _SAVE.all(db, [(row.id, *_written(row)) for row in sorted(rows, key=attrgetter("id"))])


def _lives_of(given: Any) -> Select[Any]:
    return (
        select(*(_sessions.c[name] for name in _ALL))
        .where(
            _sessions.c.gateway_id == bindparam("gateway"),
            _sessions.c.acct_session_id == given.session,
            _sessions.c.mac == given.named,
        )
        .order_by(_sessions.c.life.desc())
        .limit(LIVES)
        .with_for_update()
    )


def _lives_of_each(given: Any) -> Executable:
    found = _lives_of(given).lateral()
    return select(*found.c).select_from(given.session.table.join(found, true()))


def _add_one(given: Any) -> ForEither:
    values = {name: getattr(given, name) for name in _ADDED}
    return for_either(lambda insert: _added(insert(_sessions).values(values)))


def _add_each(given: Any) -> Executable:
    values = select(*(getattr(given, name) for name in _ADDED))
    return _added(postgresql.insert(_sessions).from_select(_ADDED, values))


def _added(fresh: Any) -> Executable:
    added: Executable = fresh.on_conflict_do_nothing().returning(_sessions.c.id, _sessions.c.mac)
    return added


def _saved(given: Any) -> Executable:
    values = {name: getattr(given, name) for name in _WRITTEN}
    return update(_sessions).where(_sessions.c.id == given.number).values(values)


_sessions = table_of(NasSession)
_ALL = tuple(field.name for field in fields(NasRow))
_WRITTEN = tuple(name for name in _ALL if name != "id")
_ADDED = (*_WRITTEN, *Names._fields)
_written = attrgetter(*_WRITTEN)
_LIVES = ForEach(_lives_of, {"session": String(), "named": String()}, build_many=_lives_of_each)
_ADD = ForEach(_add_one, {name: _sessions.c[name].type for name in _ADDED}, build_many=_add_each)
_SAVE = ForEach(_saved, {"number": BigInteger()} | {name: _sessions.c[name].type for name in _WRITTEN})
