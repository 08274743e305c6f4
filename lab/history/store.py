"""Many rows at once: COPY on PostgreSQL, executemany on SQLite. Instants are text, as both databases read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, text

from db.base import Base

Row = tuple[Any, ...]
# In the order in which their rows refer to each other.
COLUMNS = {
    "outages": ("gateway_id", "since", "until"),
    "entitlements": ("id", "subject", "network_id", "method", "since", "until", "devices"),
    "access_sessions": (
        *("id", "entitlement_id", "subject", "method", "network_id", "gateway_id", "site_id", "mac"),
        *("address", "landed_at", "started_at", "until", "last_seen_at", "ended_at", "end_reason"),
        *("previous_id", "terms_version", "terms_language", "terms_digest"),
    ),
    "leases": (
        *("id", "access_id", "gateway_id", "site_id", "mac", "address", "created_at", "starts_at", "until"),
        *("rate_down_kbps", "rate_up_kbps", "version", "confirmed_at", "released_at"),
        *("public_address", "port_first", "port_last"),
    ),
    "usage": (
        *("access_id", "gateway_id", "epoch", "bytes_up", "bytes_down", "packets_up", "packets_down"),
        *("best_down_kbps", "updated_at"),
    ),
    "impressions": (
        *("id", "nonce", "creative_id", "network_id", "site_id", "access_id", "lease_id", "language"),
        *("shown_at", "accepted_at", "confirmed_at"),
    ),
    "decisions": (
        *("id", "code", "at", "rule", "step", "network_id", "site_id", "gateway_id", "mac", "address"),
        *("subject", "landed_at", "detail"),
    ),
}
NUMBERED = ("entitlements", "access_sessions", "leases", "impressions", "decisions")


def last_ids(connection: Connection) -> dict[str, int]:
    """The highest id in use in each table whose ids are given here."""
    return {
        name: connection.scalar(text(f"SELECT coalesce(max(id), 0) FROM {name}")) or 0 for name in NUMBERED
    }


def insert(connection: Connection, rows: dict[str, list[Row]]) -> None:
    """Write the rows of one round, each table's in the order of its `COLUMNS`."""
    driver: Any = connection.connection.driver_connection
    for table, columns in COLUMNS.items():
        if not rows[table]:
            continue
        if connection.dialect.name == "postgresql":
            with driver.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows[table]:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            driver.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows[table])


@contextmanager
def in_bulk(engine: Engine) -> Iterator[None]:
    """Without the indexes while it lasts: building each once, afterwards, takes a fraction of the time."""
    tables = [Base.metadata.tables[name] for name in COLUMNS]
    with engine.begin() as connection:
        for index in _indexes(tables):
            index.drop(connection, checkfirst=True)
    try:
        yield
    finally:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                # The default sorts millions of rows on disk, a few at a time.
                connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
            for index in _indexes(tables):
                index.create(connection, checkfirst=True)


def _indexes(tables: Iterable[Table]) -> list[Any]:
    return [index for table in tables for index in sorted(table.indexes, key=lambda each: str(each.name))]


def trusting(connection: Connection) -> bool:
    """Where we own the whole server, let it believe that the rows fit together: they were made to. Whether it does.

    For this transaction alone.
    """
    if connection.dialect.name != "postgresql":
        return False
    owns = bool(connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))
    if owns:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    connection.execute(text("SET LOCAL timezone = 'UTC'"))
    return owns


def go_on_counting(connection: Connection) -> None:
    """Have PostgreSQL give its next ids after ours; SQLite does by itself."""
    if connection.dialect.name == "postgresql":
        for name in NUMBERED:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name} HAVING max(id) > 0"
                )
            )


def look_anew(connection: Connection, tables: Sequence[str] = tuple(COLUMNS)) -> None:
    """Let the database count what is in the tables, so that it plans its queries by that."""
    for table in tables:
        connection.execute(text(f"ANALYZE {table}"))
