"""Who proposed a campaign, beside who wrote it: neither approves it

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("proposed_by", sa.String(80), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("campaigns") as table:
        table.drop_column("proposed_by")
