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

import auth.patrons  # noqa: F401
from db.base import Base
from db.engine import make_engine

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


def upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def test_the_migrations_make_the_tables_of_the_models(blank: Connection) -> None:
    upgrade(blank)
    context = MigrationContext.configure(blank, opts={"compare_type": True})
    assert compare_metadata(context, Base.metadata) == []


def test_an_upgrade_is_harmless_to_repeat(blank: Connection) -> None:
    upgrade(blank)
    upgrade(blank)
    assert inspect(blank).has_table("leases")
