"""What is built once in an SQLite database, and copied into that of each test that wants the same."""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable
from typing import TypeVar, cast

from sqlalchemy import Engine

Value = TypeVar("Value")
# By name: the whole database, and what building it gave.
_BUILT: dict[str, tuple[sqlite3.Connection, bytes]] = {}


def built_once(name: str, engine: Engine, build: Callable[[], Value]) -> Value:
    """What `build` gives, with the rows that it left. The database is the same each time before it is called.

    A test gets rows and a value of its own. On PostgreSQL, where a database is not a file, it is built each time.
    """
    if engine.dialect.name != "sqlite":
        return build()
    if name not in _BUILT:
        given = build()
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        _copy(engine, lambda live: live.backup(kept))
        _BUILT[name] = kept, pickle.dumps(given)
    kept, given_bytes = _BUILT[name]
    _copy(engine, kept.backup)
    return cast("Value", pickle.loads(given_bytes))


def _copy(engine: Engine, copy: Callable[[sqlite3.Connection], None]) -> None:
    connection = engine.raw_connection()
    try:
        copy(cast("sqlite3.Connection", connection.driver_connection))
    finally:
        connection.close()
