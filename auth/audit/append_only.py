"""Triggers that keep the rows of the audit log as they were written, on either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import DDL, event

from db.base import Base
from db.statements import table_of

ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
REFUSE = (
    "CREATE OR REPLACE FUNCTION trail_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$"
)


def never_changed(table: str) -> dict[str, tuple[str, ...]]:
    """The statements for a table whose rows are never changed and never deleted, by dialect."""
    return {
        "sqlite": (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {ABORT}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {ABORT}",
        ),
        "postgresql": (
            REFUSE,
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
        ),
    }


def run_after_create(model: type[Base], statements: Mapping[str, Sequence[str]]) -> None:
    """Have the statements of the dialect run wherever this table is made."""
    for dialect, texts in statements.items():
        for text in texts:
            # SQLAlchemy leaves this one function without types.
            ddl = DDL(text).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(table_of(model), "after_create", ddl)
