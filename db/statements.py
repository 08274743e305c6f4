"""Statements built once at import: building one costs more than the database takes to execute it.

What varies by call is a `bindparam`, or a column named by the call's parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.base import Base

# The `insert` of a dialect: SQLAlchemy's two have ON CONFLICT in common, and no class that says so.
Insert = Callable[[Table], Any]


@dataclass(frozen=True, slots=True)
class ForEither:
    """One statement in the dialect of each database, such as an INSERT … ON CONFLICT."""

    sqlite: Executable
    postgresql: Executable

    def on(self, db: Session) -> Executable:
        """The statement for the database behind `db`."""
        return self.postgresql if db.get_bind().dialect.name == "postgresql" else self.sqlite


def for_either(build: Callable[[Insert], Executable]) -> ForEither:
    """Have `build` make the statement with the `insert` of each database."""
    return ForEither(build(sqlite.insert), build(postgresql.insert))


def table_of(model: type[Base]) -> Table:
    """The table behind a class, for statements that need no objects."""
    return cast(Table, model.__table__)
