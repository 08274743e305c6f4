"""The first instant at which passes of a batch let anybody in

Revision: 0044, after 0043
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "voucher_batches", sa.Column("starts_at", db.base.UtcDateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("voucher_batches", "starts_at")
