"""What the acts ask is asked by an index of its own, whatever PostgreSQL believes of a table that was small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from ads import acceptances, online
from auth import rate_limits
from db.engine import make_engine, make_session_maker
from db.postgresql_driver import PostgresDriver
from db.prepared import Prepared
from db.statements import ForEither, table_of
from sessions import clients, nas_rows, present, start, vouchers
from sessions.models import AccessSession
from tests.sessions.test_feed import enter
from tests.town import build_town

ASKED = {
    "ix_access_sessions_(open|of)_entitlement": start._OF_PERSON,
    "ix_access_sessions_log_subject": start._OF_PASS,
    "ix_access_sessions_log_subject ": vouchers._STAYS,
    "uq_access_sessions_open_client": present._PRESENT,
    "uq_access_sessions_open_client   ": start._OF_PERSON,
    "uq_access_sessions_open_client    ": start._OF_PASS,
    "uq_access_sessions_open_client ": clients._ONLINE,
    "uq_access_sessions_open_client  ": online._ONLINE,
    "uq_access_sessions_open_client     ": acceptances._LOOK_UP,
    "uq_impressions_nonce": acceptances._LOOK_UP,
    "pk_attempts": rate_limits._LOOK,
}


@pytest.fixture
def morning(both_urls: list[str]) -> Iterator[Connection]:
    """A database that was looked through at night, when nobody was online, and hundreds who have come since."""
    engine = make_engine(both_urls[1])
    with Session(engine) as db, db.begin():
        enter(db, build_town(db).station)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _copy(connection, "past", 3_000, ended_at="until", end_reason="'expired'")
        connection.execute(text("DELETE FROM leases"))
        connection.execute(text("UPDATE access_sessions SET ended_at = until, end_reason = 'expired'"))
        connection.execute(text("VACUUM ANALYZE access_sessions"))
        _copy(connection, "new", 300, ended_at="NULL", end_reason="NULL")
        attempts = "SELECT 'client' || n, 1, now() FROM generate_series(1, 30) AS n"
        connection.execute(text(f"INSERT INTO attempts (key, count, last_at) {attempts}"))
        yield connection
    engine.dispose()


def _copy(connection: Connection, subject: str, times: int, **values: str) -> None:
    own = {"mac": "md5(n::text)::varchar(17)", "subject": f"'{subject}' || n", **values}
    names = [one.name for one in table_of(AccessSession).columns if one.name != "id"]
    chosen = ", ".join(own.get(name, name) for name in names)
    one = "(SELECT * FROM access_sessions ORDER BY id LIMIT 1) AS one"
    rows = f"SELECT {chosen} FROM {one}, generate_series(1, {times}) AS n"
    connection.execute(
        text(f"INSERT INTO access_sessions ({', '.join(names)}) {rows}".replace("::", "\\:\\:"))
    )


def test_one_pass_person_client_or_budget_is_read_alone(morning: Connection) -> None:
    morning.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
    for index, asked in ASKED.items():
        assert re.search(f"(using|on) {index.strip()} ", plan(morning, asked)), plan(morning, asked)


def plan(connection: Connection, asked: Prepared) -> str:
    """Of the statement as the driver prepares it, whatever its values."""
    either = asked._statement
    own = either.postgresql if isinstance(either, ForEither) else either
    statement: Any = own.compile(dialect=PostgresDriver.writes)  # type: ignore[attr-defined]
    given = ", ".join("NULL" for _ in statement.positiontup)
    run = connection.exec_driver_sql
    run(f"PREPARE asked AS {statement}")
    lines = [row[0] for row in run(f"EXPLAIN EXECUTE asked ({given})")]
    run("DEALLOCATE asked")
    return "\n".join(lines)


def test_accounting_sessions_are_found_by_index_though_there_were_none(both_urls: list[str]) -> None:
    engine = make_engine(both_urls[1])
    try:
        with Session(engine) as db, db.begin():
            gateway_id = build_town(db).station.id
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE nas_sessions"))
        with make_session_maker(engine).begin() as db:
            nas_rows.lives(
                db, gateway_id=gateway_id, names=[("a", "02:00:00:00:00:01"), ("b", "02:00:00:00:00:02")]
            )
            ours = text(
                "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'nas_sessions'"
            )
            assert tuple(db.execute(ours).one()) == (0, 2)
    finally:
        engine.dispose()
