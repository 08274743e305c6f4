"""Computed reports, and the digest of a day's figures that tells whether one still holds

Revision: 0045, after 0044
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "computed_reports",
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("made_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("question", name=op.f("pk_computed_reports")),
    )
    with op.batch_alter_table("figure_days", schema=None) as batch_op:
        batch_op.add_column(sa.Column("digest", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("figure_days", schema=None) as batch_op:
        batch_op.drop_column("digest")
    op.drop_table("computed_reports")
