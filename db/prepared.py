"""Statements of the main acts, rendered once and given to the driver as text.

SQLAlchemy takes several times as long to bring a small statement to the database as the database takes to carry it out.
These are built with its Core like all others, by either dialect's rules and with its types, and rendered at the first
use; after that a call converts its values, has a cursor of the session's own connection execute them, and converts what
comes back. No object is made, nothing is flushed before, and what a session has loaded is not refreshed. Faults of the
database are those of `sqlalchemy.exc`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

from db.statements import ForEither

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The text for one dialect. `parameters` are the names of its values and what each is converted by; where the name
    is in `fixed`, the value stands in the statement."""

    text: str
    parameters: tuple[tuple[str, Convert | None], ...]
    fixed: dict[str, Any]
    is_positional: bool
    columns: tuple[tuple[int, Convert], ...]

    def values(self, given: dict[str, Any]) -> Any:
        """What the driver gets. Raises KeyError where a value is missing."""
        made = {
            name: self.fixed[name]
            if name in self.fixed
            else given[name]
            if convert is None
            else convert(given[name])
            for name, convert in self.parameters
        }
        return tuple(made[name] for name, _ in self.parameters) if self.is_positional else made

    def row(self, found: Any) -> Row:
        if not self.columns:
            return tuple(found)
        row = list(found)
        for place, convert in self.columns:
            row[place] = convert(row[place])
        return tuple(row)


class Prepared:
    """One statement, or one for each database. Values are named by its `bindparam`, or by the columns of an INSERT.

    Each call gives the same names. Raises TypeError for a list of values (`IN`)
    and for a column that has its default from Python.
    """

    def __init__(self, statement: Executable | ForEither) -> None:
        self._statement = statement
        self._rendered: dict[str, _Rendered] = {}

    def run(self, db: Session, /, **values: Any) -> int:
        """Execute it; how many rows it matched."""
        cursor, _ = self._execute(db, values)
        count = int(cursor.rowcount)
        cursor.close()
        return count

    def all(self, db: Session, /, **values: Any) -> list[Row]:
        """Execute it; all rows."""
        cursor, rendered = self._execute(db, values)
        found = cursor.fetchall()
        cursor.close()
        return [rendered.row(row) for row in found]

    def first(self, db: Session, /, **values: Any) -> Row | None:
        """Execute it; its one row, or the first of them."""
        rows = self.all(db, **values)
        return rows[0] if rows else None

    def scalar(self, db: Session, /, **values: Any) -> Any:
        """Execute it; the first column of its first row, None where there is no row."""
        rows = self.all(db, **values)
        return rows[0][0] if rows else None

    def _execute(self, db: Session, values: dict[str, Any]) -> tuple[Any, _Rendered]:
        connection = db.connection()
        rendered = self._rendered.get(connection.dialect.name)
        if rendered is None:
            rendered = self._render(db, connection.dialect, values)
        made = rendered.values(values)
        cursor = connection.connection.cursor()
        for listener in connection.dispatch.before_cursor_execute:
            listener(connection, cursor, rendered.text, made, None, False)
        try:
            cursor.execute(rendered.text, made)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _explained(connection, cursor, rendered.text, made, error) from error
        return cursor, rendered

    def _render(self, db: Session, dialect: Dialect, values: dict[str, Any]) -> _Rendered:
        statement = self._statement.on(db) if isinstance(self._statement, ForEither) else self._statement
        assert isinstance(statement, (UpdateBase, Select))
        named = list(values) if statement.is_insert else None
        compiled: Any = statement.compile(dialect=dialect, column_keys=named)
        if compiled.post_compile_params or compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"has a list or a default: {compiled}")
        bound = {name: parameter for parameter, name in compiled.bind_names.items()}
        into = {name: _into(parameter.type, dialect) for name, parameter in bound.items()}
        fixed = {}
        for name in bound.keys() - set(values):
            value, convert = compiled.params[name], into[name]
            if bound[name].required:
                raise KeyError(name)
            fixed[name] = value if convert is None else convert(value)
        columns = [
            (place, _out_of(column.type, dialect)) for place, column in enumerate(statement.exported_columns)
        ]
        rendered = _Rendered(
            text=str(compiled),
            parameters=tuple((name, into[name]) for name in compiled.positiontup or bound),
            fixed=fixed,
            is_positional=bool(compiled.positional),
            columns=tuple((place, convert) for place, convert in columns if convert is not None),
        )
        self._rendered[dialect.name] = rendered
        return rendered


def _explained(connection: Connection, cursor: Any, text: str, made: Any, error: Any) -> Exception:
    """The fault as SQLAlchemy would raise it; a connection that is broken is not used again."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
    if is_gone:
        connection.invalidate(error)
    explained: Exception = DBAPIError.instance(
        text, made, error, dialect.loaded_dbapi.Error, connection_invalidated=is_gone, dialect=dialect
    )
    return explained


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
