"""Records of places as plain values, for a cache that hands them to every request and lets nobody change them.

A field of a mapped object is asked of SQLAlchemy, each time by twenty instructions; that of a plain one is there. It is
of the same class for whoever asks, and has its properties; no session knows it, and what was not loaded is not there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from sqlalchemy import inspect

from db.base import Base

Record = TypeVar("Record", bound=Base)


def plain(records: Iterable[Record]) -> list[Record]:
    """Plain values of what was loaded of these records, and of those that they refer to, one for each."""
    made: dict[Base, Any] = {}
    return [_made(record, made) for record in records]


def _made(value: Any, made: dict[Base, Any]) -> Any:
    if isinstance(value, list):
        return [_made(each, made) for each in value]
    if isinstance(value, Base) and value not in made:
        kind = _kind_of(type(value))
        made[value] = object.__new__(kind)
        for name in set(kind.__slots__) - inspect(value).unloaded:
            setattr(made[value], name, _made(getattr(value, name), made))
    return made[value] if isinstance(value, Base) else value


@functools.cache
def _kind_of(model: type[Base]) -> Any:
    """The model with a slot for each of its fields, in the place of what SQLAlchemy has put there."""
    names, declare = inspect(model).all_orm_descriptors.keys(), cast(Any, type(model))
    return declare(model.__name__, (model,), {"__abstract__": True, "__slots__": (*names,)})
