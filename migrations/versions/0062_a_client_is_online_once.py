"""The index of clients that are online says *open* in words of its own

Revision: 0062, after 0061
"""

from alembic import op
from sqlalchemy import text

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

NAME, COLUMNS = "uq_access_sessions_open_client", ["network_id", "mac"]
OPEN = "coalesce(ended_at, ended_at) IS NULL"
# By database.
BEFORE = {"sqlite": "ended_at IS NULL", "postgresql": "ended_at IS NULL AND mac IS NOT NULL"}


def _make(condition: str) -> None:
    where = text(condition)
    op.drop_index(NAME, "access_sessions")
    op.create_index(NAME, "access_sessions", COLUMNS, unique=True, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    _make(OPEN)


def downgrade() -> None:
    _make(BEFORE[op.get_bind().dialect.name])
