"""The dialects of SQLAlchemy, so that a statement is compiled once in a run of the tests and not once for each engine.

SQLAlchemy keeps compiled statements by engine, and those of a flush by dialect (docs.sqlalchemy.org, "SQL Compilation
Caching"). Each test has an engine of its own, and so compiled everything anew: a third of what a page costs. All
engines of a run speak to one version of SQLite or of PostgreSQL, so that their statements are the same.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

STATEMENTS: dict[Any, Any] = {}


class _Same:
    """Equal to all other dialects of its class."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=STATEMENTS)


class SQLite(_Same, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class PostgreSQL(_Same, PGDialect_psycopg):
    supports_statement_cache = True


def compile_once() -> None:
    """Let every engine that is made from now on use the statements that others have compiled."""
    registry.register("sqlite", __name__, SQLite.__name__)
    registry.register("postgresql.psycopg", __name__, PostgreSQL.__name__)
