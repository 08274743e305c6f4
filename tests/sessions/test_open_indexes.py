"""On SQLite, whoever is online is asked by an index of open sessions, in whatever order the indexes were made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.dialects import sqlite

from ads import acceptances
from db.engine import make_engine
from db.statements import table_of
from sessions import present, start
from sessions.models import AccessSession
from tests.clock import NOON

ASKED: dict[str, Any] = {
    "uq_access_sessions_open_client (network_id=? AND mac=?)": present._PRESENT._statement,
    "ix_access_sessions_open_until (until<?)": select(AccessSession.id).where(
        AccessSession.ended_at.is_(None), AccessSession.until <= NOON
    ),
    "_entitlement (entitlement_id=?)": start._OF_PERSON._statement,
    "client (network_id=? AND mac=?)": start._OF_PERSON._statement,
    "sessions_open_client (network_id=? AND mac=?)": acceptances._LOOK_UP._statement,
    "open_client (network_id=? AND mac=?)": start._OF_PASS._statement,
}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    """A database without tables."""
    engine = make_engine(f"sqlite:///{tmp_path}/bare.sqlite3")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("index", ASKED)
@pytest.mark.parametrize("backwards", [False, True])
def test_open_sessions_are_asked_by_an_index_of_theirs(bare: Engine, index: str, *, backwards: bool) -> None:
    table = table_of(AccessSession)
    with bare.connect() as connection:
        table.metadata.create_all(connection)
        indexes = sorted(table.indexes, key=lambda one: one.name or "", reverse=backwards)
        for one in indexes:
            one.drop(connection)
        for one in indexes:
            one.create(connection)
        assert index in plan(connection, ASKED[index])


def plan(connection: Connection, statement: Any) -> str:
    asked = str(statement.compile(dialect=sqlite.dialect(paramstyle="named")))
    values = dict.fromkeys(statement.compile().params)
    return "\n".join(row[-1] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {asked}"), values))
