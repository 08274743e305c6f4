"""What a request did to the database, table by table: what is read back, and not what the answer says."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy.engine.interfaces import DBAPICursor

from db.base import Base
from portal.services import Services

# What any request may touch: budgets, when a browser or a program was last seen, which forms were carried out, what a
# message was chosen from, which messages pages had, who is being shown one, and reports kept to be served again.
VOLATILE = {
    "attempts",
    "staff_sessions",
    "staff_answers",
    "choice_inputs",
    "served_impressions",
    "open_breaks",
    "computed_reports",
}
# The four tables of one entry of the audit log.
TRAIL = {"trail", "trail_head", "trail_links", "trail_seals"}


def state(services: Services) -> dict[str, int]:
    """A digest of each table's rows, but of those that any request may touch.

    Read past SQLAlchemy: this is done before and after every request of the matrices, for every table.
    """
    with services.make_session() as db, closing(db.connection().connection.cursor()) as cursor:
        return {name: _digest(cursor, name) for name in sorted(Base.metadata.tables.keys() - VOLATILE)}


def _digest(cursor: DBAPICursor, table: str) -> int:
    cursor.execute(f"SELECT * FROM {table}")
    return hash(tuple(sorted(map(repr, cursor.fetchall()))))


def changed_since(before: dict[str, int], services: Services) -> set[str]:
    """The tables that are not as they were."""
    return {name for name, rows in state(services).items() if rows != before[name]}
