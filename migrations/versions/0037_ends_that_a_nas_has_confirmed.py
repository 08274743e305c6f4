"""When a NAS has confirmed that it ended a session, and which sessions a NAS holds

Revision: 0037, after 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

HELD = "ix_nas_sessions_held"


def upgrade() -> None:
    op.add_column("nas_sessions", sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True))
    running = sa.text("stopped_at IS NULL")
    op.create_index(HELD, "nas_sessions", ["gateway_id"], sqlite_where=running, postgresql_where=running)


def downgrade() -> None:
    op.drop_index(HELD, "nas_sessions")
    with op.batch_alter_table("nas_sessions") as table:
        table.drop_column("disconnected_at")
