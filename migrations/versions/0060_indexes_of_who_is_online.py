"""Each index of open sessions for questions about its own column alone

Revision: 0060, after 0059
"""

from alembic import op
from sqlalchemy import text

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

OPEN = "ended_at IS NULL"
# PostgreSQL takes the one that was made last where several seem to cost the same.
INDEXES = (
    ("ix_access_sessions_open_until", ["until"], False),
    ("ix_access_sessions_open_entitlement", ["entitlement_id"], False),
    ("ix_access_sessions_resume", ["resume_digest"], False),
    ("uq_access_sessions_open_client", ["network_id", "mac"], True),
)
BEFORE = {"ix_access_sessions_open_entitlement": "ix_access_sessions_entitlement"}


def upgrade() -> None:
    for name, columns, unique in INDEXES:
        where = text(f"{OPEN} AND {columns[-1]} IS NOT NULL")
        op.drop_index(BEFORE.get(name, name), "access_sessions")
        op.create_index(
            name, "access_sessions", columns, unique=unique, sqlite_where=where, postgresql_where=where
        )


def downgrade() -> None:
    for name, columns, unique in INDEXES:
        where = text(OPEN)
        op.drop_index(name, "access_sessions")
        op.create_index(
            BEFORE.get(name, name),
            "access_sessions",
            columns,
            unique=unique,
            sqlite_where=where,
            postgresql_where=where,
        )
