"""What pages that are open to all know of whoever asks."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from auth.tokens import InvalidToken
from portal.http.clients import ClientContext, ForeignClient, current


def visit_if_any() -> ClientContext | None:
    """The visit of this request. These pages are open to all, so that neither a stale token nor a database that
    is away closes one that needs none."""
    try:
        return current()
    except (ForeignClient, InvalidToken, OperationalError, PoolTimeout):
        return None
