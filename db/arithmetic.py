"""Arithmetic that each database writes in its own way: instants as whole numbers, the lesser and the greater of two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class microseconds(GenericFunction[int]):
    """An instant (`UtcDateTime`) in microseconds since 1970, exactly."""

    type = BigInteger()
    inherit_cache = True


class greater_of(GenericFunction[int]):
    """The greater of two whole numbers; nothing where one is."""

    type = BigInteger()
    inherit_cache = True


class lesser_of(GenericFunction[int]):
    """The lesser of two whole numbers; nothing where one is."""

    type = BigInteger()
    inherit_cache = True


def between(low: ColumnElement[Any], value: ColumnElement[Any], high: ColumnElement[Any]) -> Any:
    """`value`, or the bound that it passes."""
    return lesser_of(high, greater_of(low, value))


@compiles(microseconds, "postgresql")
def _since_1970(element: microseconds, compiler: SQLCompiler, **kw: Any) -> str:
    # EXTRACT gives a numeric since PostgreSQL 14: six places, and nothing is rounded.
    return f"CAST(EXTRACT(epoch FROM {compiler.process(element.clauses, **kw)}) * 1000000 AS bigint)"


@compiles(microseconds, "sqlite")
def _of_text(element: microseconds, compiler: SQLCompiler, **kw: Any) -> str:
    # SQLite reads no more than milliseconds: whole seconds and the six digits after them are taken apart.
    text = compiler.process(element.clauses, **kw)
    whole = f"CAST(strftime('%s', substr({text}, 1, 19)) AS INTEGER)"
    return f"({whole} * 1000000 + CAST(substr({text}, 21, 6) AS INTEGER))"


@compiles(greater_of)
def _greatest(element: greater_of, compiler: SQLCompiler, **kw: Any) -> str:
    return _of_two(element, compiler, "GREATEST", "max", **kw)


@compiles(lesser_of)
def _least(element: lesser_of, compiler: SQLCompiler, **kw: Any) -> str:
    return _of_two(element, compiler, "LEAST", "min", **kw)


def _of_two(element: Any, compiler: SQLCompiler, postgresql: str, sqlite: str, **kw: Any) -> str:
    name = sqlite if compiler.dialect.name == "sqlite" else postgresql
    return f"{name}({compiler.process(element.clauses, **kw)})"
