"""When a campaign was stopped: its pictures leave a term after that

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("stopped_at", db.base.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("campaigns") as table:
        table.drop_column("stopped_at")
