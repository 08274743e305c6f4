"""Statements of the main acts, rendered once and given to the driver as text.

SQLAlchemy takes several times as long to bring a small statement to the database as the database takes to carry it out.
These are built with its Core like all others, by either dialect's rules and with its types, and rendered at the first
use; after that a call converts its values, has the driver execute them on the session's own connection, and converts
what comes back. No object is made, nothing is flushed before, and what a session has loaded is not refreshed. Faults
of the database are those of `sqlalchemy.exc`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert, UpdateBase
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from db.drivers import Driver, Row, Statement
from db.session import Session as OwnSession
from db.session import driver_of, fault_of, send
from db.statements import ForEither

Convert = Callable[[Any], Any]
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A statement for one dialect. `take` gives its values in their order, out of those that are given and those that
    stand in the statement (`fixed`); `into` and `out_of` have the places of those that are converted, and how.
    """

    statement: Statement
    take: Callable[[dict[str, Any]], Sequence[Any]]
    fixed: dict[str, Any]
    into: tuple[tuple[int, Convert], ...]
    out_of: tuple[tuple[int, Convert], ...]

    def values(self, given: dict[str, Any]) -> Sequence[Any]:
        """What the driver gets. Raises KeyError where a value is missing."""
        values = self.take(given | self.fixed if self.fixed else given)
        return _converted(values, self.into) if self.into else values

    def each(
        self, names: Sequence[str], rows: Sequence[Sequence[Any]], shared: dict[str, Any]
    ) -> list[Sequence[Any]]:
        """What the driver gets for each of `rows`, whose values have these names; `shared` are those of all of them."""
        shared = shared | self.fixed
        places = self.take({name: place for place, name in enumerate([*shared, *names])})
        converts = {places[at]: convert for at, convert in self.into}
        before = _converted(tuple(shared.values()), [one for one in converts.items() if one[0] < len(shared)])
        own = tuple((at - len(shared), convert) for at, convert in converts.items() if at >= len(shared))
        take = _taking(places)
        return [take((*before, *(_converted(row, own) if own else row))) for row in rows]

    def rows(self, found: list[Row]) -> list[Row]:
        """What came back, in Python's types."""
        return [tuple(_converted(row, self.out_of)) for row in found] if self.out_of else found


class Reply:
    """What a statement gives that is sent with the next one; asking for it sends now what waits."""

    __slots__ = ("_db", "rows")

    def __init__(self, db: Session, rows: list[Row] | None = None) -> None:
        self._db, self.rows = db, rows

    def all(self) -> list[Row]:
        """All rows."""
        if self.rows is None:
            send(self._db)
        assert self.rows is not None
        return self.rows

    def first(self) -> Row | None:
        """Its one row, or the first of them."""
        rows = self.all()
        return rows[0] if rows else None

    def scalar(self) -> Any:
        """The first column of its first row, None where there is no row."""
        rows = self.all()
        return rows[0][0] if rows else None


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
        return self._execute(db, driver_of(db), values)[1]

    def run_each(
        self, db: Session, names: Sequence[str], rows: Sequence[Sequence[Any]], /, **shared: Any
    ) -> None:
        """Execute it for each of these rows, whose values have these names, in one call of the driver.

        It gives nothing back.
        """
        if not rows:
            return
        driver = driver_of(db)
        rendered = self._rendered.get(driver.writes.name) or self._render(
            db, driver, shared | dict(zip(names, rows[0], strict=True))
        )
        values = rendered.each(names, rows, shared)
        for listener in driver.engine.dispatch.before_cursor_execute:
            listener(None, None, rendered.statement.text, values, None, True)
        try:
            driver.execute_many(rendered.statement, values)
        except driver.engine.dialect.loaded_dbapi.Error as error:
            raise fault_of(db, error, rendered.statement.text, values) from error

    def all(self, db: Session, /, **values: Any) -> list[Row]:
        """Execute it; all rows."""
        return self._execute(db, driver_of(db), values)[0]

    def first(self, db: Session, /, **values: Any) -> Row | None:
        """Execute it; its one row, or the first of them."""
        rows = self._execute(db, driver_of(db), values)[0]
        return rows[0] if rows else None

    def scalar(self, db: Session, /, **values: Any) -> Any:
        """Execute it; the first column of its first row, None where there is no row."""
        rows = self._execute(db, driver_of(db), values)[0]
        return rows[0][0] if rows else None

    def later(self, db: Session, /, **values: Any) -> Reply:
        """Have it executed before the next statement or the commit, whichever comes first, and sent together with it.

        What it gives is there when the reply is asked. A fault of its own is raised by what it is sent with.
        """
        driver = driver_of(db)
        if not (driver.defers and isinstance(db, OwnSession) and db.is_apart()):
            return Reply(db, self._execute(db, driver, values)[0])
        rendered, octets = self._ready(db, driver, values)
        reply = Reply(db)

        def hear(rows: list[Row]) -> None:
            reply.rows = rendered.rows(rows)

        try:
            driver.later(rendered.statement, octets, hear)
        except driver.engine.dialect.loaded_dbapi.Error as error:
            raise fault_of(db, error, rendered.statement.text, octets) from error
        return reply

    def _execute(self, db: Session, driver: Driver, given: dict[str, Any]) -> tuple[list[Row], int]:
        rendered, values = self._ready(db, driver, given)
        try:
            rows, count = driver.execute(rendered.statement, values)
        except driver.engine.dialect.loaded_dbapi.Error as error:
            raise fault_of(db, error, rendered.statement.text, values) from error
        return rendered.rows(rows) if rows else rows, count

    def _ready(self, db: Session, driver: Driver, given: dict[str, Any]) -> tuple[_Rendered, Sequence[Any]]:
        rendered = self._rendered.get(driver.writes.name) or self._render(db, driver, given)
        values = rendered.values(given)
        if driver.engine.dispatch.before_cursor_execute:
            for listener in driver.engine.dispatch.before_cursor_execute:
                listener(None, None, rendered.statement.text, values, None, False)
        return rendered, values

    def _render(self, db: Session, driver: Driver, given: dict[str, Any]) -> _Rendered:
        statement = self._statement.on(db) if isinstance(self._statement, ForEither) else self._statement
        assert isinstance(statement, (UpdateBase, SelectBase))
        dialect = driver.engine.dialect
        has_values = isinstance(statement, Insert) and statement.select is None
        named = list(given) if has_values else None
        compiled: Any = statement.compile(dialect=driver.writes, column_keys=named)
        if compiled.post_compile_params or compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"has a list or a default: {compiled}")
        bound = {name: parameter for parameter, name in compiled.bind_names.items()}
        names = compiled.positiontup
        fixed = {name: compiled.params[name] for name in bound.keys() - set(given)}
        if missing := [name for name in fixed if bound[name].required]:
            raise KeyError(*missing)
        rendered = _Rendered(
            Statement(str(compiled), next(_numbers)),
            take=_taking(names),
            fixed=fixed,
            into=_places([_into(bound[name].type, dialect) for name in names]),
            out_of=_places([_out_of(column.type, dialect) for column in statement.exported_columns]),
        )
        self._rendered[dialect.name] = rendered
        return rendered


def _taking(names: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: [given[name] for name in names]


def _places(converts: Sequence[Convert | None]) -> tuple[tuple[int, Convert], ...]:
    return tuple((place, convert) for place, convert in enumerate(converts) if convert is not None)


def _converted(values: Sequence[Any], converts: Iterable[tuple[int, Convert]]) -> Sequence[Any]:
    made = list(values)
    for place, convert in converts:
        made[place] = convert(made[place])
    return made


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
