"""A long past in little time: one week is made up, and comes again and again, as the same people do.

Every repetition is written by the database itself, which is many times as fast as making the rows up here. The last
days are made up anew, so that the present has people online.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from db.base import Base, UtcDateTime
from lab.history import store
from lab.history.wish import Wish, Written
from lab.history.writing import write_rows

TOWN = ZoneInfo("Europe/Paris")
WEEK = timedelta(days=7)
# In the order in which their rows refer to each other.
REPEATED = ("outages", "access_sessions", "leases", "usage", "impressions", "decisions")
# Tables that a server writes at the same time, where it does not look what refers to what.
AT_ONCE = 2
# Whose ids the columns hold.
OWNERS = {"access_id": "access_sessions", "previous_id": "access_sessions", "lease_id": "leases"}


def write_weeks(
    engine: Engine, wish: Wish, *, weeks: int, tell: Callable[[int], None] = lambda sessions: None
) -> Written:
    """Write `weeks` alike, each with its share of `wish.sessions`, up to `wish.ends`. The database is empty so far."""
    ends = datetime.combine(wish.ends.astimezone(TOWN).date() - timedelta(days=1), time(), TOWN)
    begins = ends - weeks * WEEK
    share = wish.sessions // weeks
    with store.in_bulk(engine):
        week = write_rows(engine, replace(wish, sessions=share, begins=begins.date(), ends=begins + WEEK))
        with engine.begin() as connection:
            store.trusting(connection)
            _close(connection)
            lengths = store.last_ids(connection)
            lengths["outages"] = connection.scalar(text("SELECT coalesce(max(id), 0) FROM outages")) or 0
        _repeat(engine, weeks, lengths)
        tell(week.sessions * weeks)
        with engine.begin() as connection:
            store.go_on_counting(connection)
        lately = share * 2 // 7
        present = write_rows(engine, Wish(lately, ends.date(), wish.ends, wish.seed + 1))
    with engine.begin() as connection:
        store.look_anew(connection)
    return Written(
        {
            table: rows * (weeks if table in REPEATED else 1) + present.rows[table]
            for table, rows in week.rows.items()
        }
    )


def _close(connection: Connection) -> None:
    """Whoever was online at the end of the week has gone since, and so has every silence."""
    connection.execute(
        text("UPDATE access_sessions SET ended_at = until, end_reason = 'expired' WHERE ended_at IS NULL")
    )
    connection.execute(text("DELETE FROM outages WHERE until IS NULL"))


def _repeat(engine: Engine, weeks: int, lengths: dict[str, int]) -> None:
    """Write all weeks but the first, table by table."""

    def write(table: str) -> None:
        for number in range(1, weeks):
            with engine.begin() as connection:
                store.trusting(connection)
                connection.execute(text(_repetition(connection, table, number, lengths)))

    with engine.begin() as connection:
        at_once = AT_ONCE if store.trusting(connection) else 1
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(write, REPEATED))


def _repetition(connection: Connection, table: str, number: int, lengths: dict[str, int]) -> str:
    """The statement that writes the rows of the first week once more, `number` weeks later."""
    is_postgres = connection.dialect.name == "postgresql"
    columns = Base.metadata.tables[table].c
    hexadecimal = "lpad(to_hex({}), {}, '0')" if is_postgres else "printf('%0{1}x', {0})"

    def value(name: str) -> str:
        if isinstance(columns[name].type, UtcDateTime):
            if is_postgres:
                return f"{name} + interval '{7 * number} days'"
            return f"strftime('%Y-%m-%d %H:%M:%f', {name}, '+{7 * number} days') || '000'"
        owner = table if name == "id" else OWNERS.get(name)
        if owner is not None:
            return f"{name} + {number * lengths[owner]}"
        if name == "nonce":
            return hexadecimal.format(f"id + {number * lengths[table]}", 32)
        if name == "code":
            return "'Z' || " + hexadecimal.format(f"id + {number * lengths[table]}", 7)
        return name

    names = store.COLUMNS[table]
    owner = "access_sessions" if table == "usage" else table
    which = f"{'access_id' if table == 'usage' else 'id'} <= {lengths[owner]}"
    values = ", ".join(map(value, names))
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} WHERE {which}"
