"""The log by pseudonym, in the order of the list

Revision: 0057, after 0056
"""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_access_sessions_log_subject", "access_sessions", ["subject", "started_at", "id"])
    op.drop_index("ix_access_sessions_subject_mac", "access_sessions")


def downgrade() -> None:
    op.create_index("ix_access_sessions_subject_mac", "access_sessions", ["subject", "mac"])
    op.drop_index("ix_access_sessions_log_subject", "access_sessions")
