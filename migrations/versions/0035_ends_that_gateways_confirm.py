"""Ends of leases that a gateway confirms, or refuses, one by one

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leases", sa.Column("release_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("leases", sa.Column("release_refused", sa.String(200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("leases") as table:
        table.drop_column("release_refused")
        table.drop_column("release_confirmed_at")
