"""Objects of the mapper made from a row, for pages that only look at them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy.orm import make_transient_to_detached

from db.base import Base

Model = TypeVar("Model", bound=Base)


def detached(model: type[Model], columns: Iterable[str], row: Iterable[Any]) -> Model:
    """The object as SQLAlchemy would have loaded it from this row, its session closed since.

    To load one takes five thousand instructions. What it refers to is not loaded, and raises `DetachedInstanceError`.
    """
    made = model()
    vars(made).update(zip(columns, row, strict=True))
    make_transient_to_detached(made)
    return made
