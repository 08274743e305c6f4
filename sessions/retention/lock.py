"""Those who delete and those who hold take turns: a hold that was placed is seen by the very next step of a purge."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

# Any number, the same everywhere: "kept" in ASCII.
_NUMBER = 0x6B657074


def take(db: Session) -> None:
    """Wait for the turn, until the end of the transaction. On SQLite there is one writer anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_NUMBER)))
