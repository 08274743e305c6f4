"""A session keeps the digest of the code that gives a device with a new address the rest of its time

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
INDEX = "ix_access_sessions_resume"


def upgrade() -> None:
    # A column alone: SQLite adds it in place, whatever the size of the log.
    op.add_column("access_sessions", sa.Column("resume_digest", sa.String(64)))
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        INDEX, "access_sessions", ["resume_digest"], sqlite_where=is_open, postgresql_where=is_open
    )


def downgrade() -> None:
    op.drop_index(INDEX, "access_sessions")
    op.drop_column("access_sessions", "resume_digest")
