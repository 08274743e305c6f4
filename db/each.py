"""One statement about many rows of values: PostgreSQL takes their columns as arrays, SQLite executes it row by row.

A round trip to PostgreSQL costs more than the statement; SQLite has none. Where a statement needs a list of values that
is as long as it likes, they go as one: an array, or its JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Dialect,
    Executable,
    Integer,
    TypeDecorator,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from db.base import Json
from db.drivers import Row
from db.prepared import Prepared
from db.session import driver_of
from db.statements import ForEither

# The values of one row by name: each a bound value, or a column of those that are given.
Build = Callable[[Any], Executable | ForEither]


class ForEach:
    """`build` makes the statement of the values of a row, whose names and types are given in their order.

    On PostgreSQL rows come back, and are changed, in no order: no two may be about the same. `build_many` is for a
    statement that is another one there.
    """

    def __init__(
        self, build: Build, types: dict[str, TypeEngine[Any]], *, build_many: Build | None = None
    ) -> None:
        self._names = tuple(types)
        self._one = Prepared(build(bound(types)))
        self._many = Prepared((build_many or build)(_unnested(types)))

    def run(self, db: Session, rows: Sequence[Sequence[Any]], /, **shared: Any) -> None:
        """Execute it with these rows, and with values that all of them share; it gives nothing back."""
        if len(rows) > 1 and driver_of(db).writes.name == "postgresql":
            self.all(db, rows, **shared)
        else:
            self._one.run_each(db, self._names, rows, **shared)

    def all(self, db: Session, rows: Sequence[Sequence[Any]], /, **shared: Any) -> list[Row]:
        """The same; all that comes back."""
        if not rows:
            return []
        if len(rows) > 1 and driver_of(db).writes.name == "postgresql":
            columns = map(list, zip(*rows, strict=True))
            return self._many.all(db, **shared, **dict(zip(self._names, columns, strict=True)))
        found = []
        for row in rows:
            found += self._one.all(db, **shared, **dict(zip(self._names, row, strict=True)))
        return found


def for_list(build: Callable[[Any], Executable], name: str, kind: TypeEngine[Any]) -> ForEither:
    """Have `build` make a statement with what stands for a list of values after `in_`; its values' name is `name`."""
    as_json = func.json_each(bindparam(name, type_=Json())).table_valued("value")
    as_array = func.unnest(bindparam(name, type_=_Column(kind))).table_valued(column("value", kind))
    return ForEither(build(select(as_json.c.value)), build(select(as_array.render_derived().c.value)))


class _Column(TypeDecorator[Sequence[Any]]):
    """The values of a column, bound as the text of an array (PostgreSQL manual, section 8.15.5).

    psycopg looks at each value three times to write the same.
    """

    impl = ARRAY
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        kind: TypeEngine[Any] = self.impl_instance.item_type  # type: ignore[attr-defined]
        into = kind.dialect_impl(dialect).bind_processor(dialect)
        write = _number if isinstance(kind, Integer | Boolean) else _quoted

        def written(values: Sequence[Any]) -> str:
            converted = values if into is None else map(into, values)
            return "{" + ",".join(["NULL" if value is None else write(value) for value in converted]) + "}"

        return written


def _number(value: int) -> str:
    return f"{value:d}"


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def bound(types: dict[str, TypeEngine[Any]]) -> SimpleNamespace:
    """The values of one row by name, for a statement that is about one."""
    return SimpleNamespace(**{name: bindparam(name, type_=kind) for name, kind in types.items()})


def _unnested(types: dict[str, TypeEngine[Any]]) -> Any:
    arrays = (bindparam(name, type_=_Column(kind)) for name, kind in types.items())
    columns = (column(name, kind) for name, kind in types.items())
    return func.unnest(*arrays).table_valued(*columns).render_derived().c
