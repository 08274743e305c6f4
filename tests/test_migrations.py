"""The migrations make exactly the tables of the models, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

import ads.models  # noqa: F401
import auth.patrons.local  # noqa: F401
from auth.audit import chain, log, signatures, verification
from auth.audit.verification import ChainVerdict
from db.base import Base
from db.engine import make_engine
from tests.actors import enter
from tests.clock import NOON

ROOT = Path(__file__).parent.parent


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database with no tables."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/blank.sqlite3")
        with engine.begin() as connection:
            yield connection
        engine.dispose()
        return
    engine = make_engine(request.getfixturevalue("postgresql_url"))
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("CREATE SCHEMA blank"))
        connection.execute(text("SET LOCAL search_path TO blank"))
        yield connection
        transaction.rollback()
    engine.dispose()


def upgrade(connection: Connection, to: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def test_the_migrations_make_the_tables_of_the_models(blank: Connection) -> None:
    upgrade(blank)
    context = MigrationContext.configure(blank, opts={"compare_type": True})
    assert compare_metadata(context, Base.metadata) == []


def test_an_upgrade_is_harmless_to_repeat(blank: Connection) -> None:
    upgrade(blank)
    upgrade(blank)
    assert inspect(blank).has_table("leases")


def test_a_new_kind_of_gateway_needs_no_migration(blank: Connection) -> None:
    upgrade(blank, "0018")
    assert "ck_gateways_gatewaykind" in checks_of(blank, "gateways")
    upgrade(blank)
    assert checks_of(blank, "gateways") == []
    columns = {column["name"]: column for column in inspect(blank).get_columns("gateways")}
    assert not columns["kind"]["nullable"]


def checks_of(connection: Connection, table: str) -> list[str | None]:
    return [check["name"] for check in inspect(connection).get_check_constraints(table)]


def test_entries_that_were_there_before_the_chain_are_chained(blank: Connection) -> None:
    upgrade(blank, "0005")
    blank.execute(text("INSERT INTO trail_head (id, last) VALUES (1, 2)"))
    for number in (1, 2):
        entry = log.TrailEntry(
            number=number, at=NOON, actor="cem", action="issued", object="batch:1", network=None, detail={}
        )
        blank.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, detail, canonical) "
                "VALUES (:number, '2026-11-24 11:00:00+00:00', 'cem', 'issued', 'batch:1', '{}', :canonical)"
            ),
            {"number": number, "canonical": log.canonical(entry)},
        )
    upgrade(blank)
    with Session(blank, join_transaction_mode="create_savepoint") as db:
        assert verification.verify(db) == ChainVerdict(entries=2)
        enter(db, actor="cem", action="issued", object="batch:2", now=NOON)
        assert verification.verify(db) == ChainVerdict(entries=3)
        with pytest.raises(DatabaseError, match="append-only"):
            db.execute(text("DELETE FROM trail_links"))


def test_the_triggers_are_those_of_the_models(blank: Connection) -> None:
    upgrade(blank)
    if blank.dialect.name == "sqlite":
        triggers = set(blank.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))
        rooms = (log, chain, signatures)
        assert triggers == {one for room in rooms for one in room.APPEND_ONLY["sqlite"]}
        return
    wanted = "SELECT DISTINCT trigger_name FROM information_schema.triggers WHERE trigger_schema = :schema"
    assert set(blank.scalars(text(wanted), {"schema": "blank"})) == set(
        blank.scalars(text(wanted), {"schema": "public"})
    )
