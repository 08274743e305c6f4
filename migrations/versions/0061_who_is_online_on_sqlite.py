"""Indexes of open sessions that SQLite takes: without a condition that always holds

Revision: 0061, after 0060
"""

from alembic import op
from sqlalchemy import text

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

OPEN = "ended_at IS NULL"
# No column of these is ever empty. SQLite passes an index over that says so.
INDEXES = (
    ("ix_access_sessions_open_until", ["until"], False),
    ("ix_access_sessions_open_entitlement", ["entitlement_id"], False),
    ("uq_access_sessions_open_client", ["network_id", "mac"], True),
)


def _make(*, says_so: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for name, columns, unique in INDEXES:
        condition = f"{OPEN} AND {columns[-1]} IS NOT NULL" if says_so else OPEN
        op.drop_index(name, "access_sessions")
        op.create_index(name, "access_sessions", columns, unique=unique, sqlite_where=text(condition))


def upgrade() -> None:
    _make(says_so=False)


def downgrade() -> None:
    _make(says_so=True)
