"""Keys from which unused codes of a batch are drawn again until its day is over

Revision: 0049, after 0048
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("until", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("encrypted_key", sa.String(400), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["voucher_batches.id"],
            name=op.f("fk_batch_keys_batch_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_keys")),
    )
    op.create_index(op.f("ix_batch_keys_batch_id"), "batch_keys", ["batch_id"])
    op.create_index(op.f("ix_batch_keys_until"), "batch_keys", ["until"])


def downgrade() -> None:
    op.drop_table("batch_keys")
