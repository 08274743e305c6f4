"""The audit trail: who did what to what, and when, written in the same transaction as the deed itself.

Rows are only ever added; triggers in the database refuse every other statement. The numbers have no gaps, because
they are drawn from one row that stays locked until the deed is committed: a missing number is a missing row. The
canonical bytes are what a later chain of hashes covers, and are kept as they were written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import DDL, LargeBinary, String, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Base
from db.types import Json

Plain = str | int | bool | None
Detail = Mapping[str, Plain | Sequence[Plain]]

SYSTEM = "system"
COMMAND_LINE = "command line"


class TrailEntry(Base):
    """One deed. `object` names what it was done to, as "batch:12" or "staff:3"."""

    __tablename__ = "trail"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(80), index=True)
    # The network it concerns, so that staff of one network read their own part; empty where it concerns none.
    network: Mapped[str | None] = mapped_column(String(64), index=True)
    detail: Mapped[dict[str, Plain | list[Plain]]] = mapped_column(Json)
    canonical: Mapped[bytes] = mapped_column(LargeBinary)


class TrailHead(Base):
    """The last number given. One row."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail "
        "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail "
        "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION trail_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$",
        "CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE ON trail "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
    ),
}
for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        _ddl = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(TrailEntry.__table__, "after_create", _ddl)


@dataclass(frozen=True, slots=True)
class Query:
    """What part of the trail is wanted. `before` is a number: entries older than that one."""

    actor: str = ""
    object: str = ""
    before: int | None = None
    most: int = 50


def record(
    db: Session,
    *,
    actor: str,
    action: str,
    object: str,
    now: datetime,
    detail: Detail | None = None,
    network: str | None = None,
) -> TrailEntry:
    """Write one deed down, in the caller's transaction.

    Call it last in that transaction: the lock on the numbers is held from here to the commit.
    """
    number = _next_number(db)
    facts = {key: list(value) if isinstance(value, tuple) else value for key, value in (detail or {}).items()}
    entry = TrailEntry(
        number=number,
        at=now.astimezone(UTC),
        actor=actor,
        action=action,
        object=object,
        network=network,
        detail=facts,
        canonical=b"",
    )
    entry.canonical = canonical(entry)
    db.add(entry)
    db.flush()
    return entry


def canonical(entry: TrailEntry) -> bytes:
    """The entry as one line of JSON with sorted keys and no spaces: equal entries give equal bytes (after RFC 8785)."""
    facts = {
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "network": entry.network,
        "detail": entry.detail,
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def read(db: Session, query: Query, *, networks: frozenset[str] = frozenset()) -> list[TrailEntry]:
    """The newest entries that match; with `networks`, only those that concern one of them."""
    statement = select(TrailEntry).order_by(TrailEntry.number.desc()).limit(query.most)
    if query.actor:
        statement = statement.where(TrailEntry.actor == query.actor)
    if query.object:
        statement = statement.where(TrailEntry.object == query.object)
    if query.before is not None:
        statement = statement.where(TrailEntry.number < query.before)
    if networks:
        statement = statement.where(TrailEntry.network.in_(sorted(networks)))
    return list(db.scalars(statement))


def _next_number(db: Session) -> int:
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(TrailHead)
        .values(id=1, last=1)
        .on_conflict_do_update(index_elements=[TrailHead.id], set_={"last": TrailHead.last + 1})
        .returning(TrailHead.last)
    )
    return db.execute(statement).scalar_one()
