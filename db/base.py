"""The declarative base, and the types of its columns: aware UTC instants, small JSON documents, words, keys.

Constraints are named by convention, so that migrations can name them too.
"""

from __future__ import annotations

import enum
import functools
import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import DateTime, Dialect, Enum, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC: ``timestamptz`` on PostgreSQL, ISO text on SQLite, whose driver writes it
    (`sqlite3.register_adapter`, below). A naive value is refused (ValueError).
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return _in_utc(value)

    # In one step, where SQLAlchemy takes three: an act converts two dozen instants, and few different ones.

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return None if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return _from_text if dialect.name == "sqlite" else _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone: only aware instants are stored")
    return value.astimezone(UTC)


@functools.lru_cache(maxsize=512)
def _as_text(value: datetime) -> str:
    """As SQLAlchemy writes it: ``2026-11-29 12:00:00.000000``."""
    instant = _in_utc(value)
    assert instant is not None
    return instant.isoformat(" ", "microseconds")[:26]


sqlite3.register_adapter(datetime, _as_text)


@functools.lru_cache(maxsize=512)
def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class Json(TypeDecorator[Any]):
    """A small document, stored as JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else _to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else _from_json(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return _read


# Made once: `json.dumps` and `json.loads` look at each call which of them is wanted.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_from_json = json.JSONDecoder().decode


def _read(text: str | None) -> Any:
    return None if text is None else _from_json(text)


def word(kind: type[enum.StrEnum]) -> Enum:
    """A column that holds one word of an enumeration, stored as the word itself."""
    return Enum(
        kind,
        native_enum=False,
        length=32,
        create_constraint=True,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


Key = Annotated[int, mapped_column(primary_key=True)]
Slug = Annotated[str, mapped_column(String(64), unique=True)]
JsonObject = Annotated[dict[str, Any], mapped_column(Json)]
Mac = Annotated[str, mapped_column(String(17))]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime()}
