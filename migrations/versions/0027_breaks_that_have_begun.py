"""What each client is being shown, so that a captive window that was closed goes on where it was

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.create_table(
        "open_breaks",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("creative_id", sa.Integer(), nullable=False),
        sa.Column("began_at", instant, nullable=False),
        sa.Column("shown_at", instant, nullable=False),
        sa.Column("draw", sa.BigInteger(), nullable=True),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("choice_digest", sa.String(length=22), nullable=True),
        sa.ForeignKeyConstraint(["creative_id"], ["creatives.id"], name=op.f("fk_open_breaks_creative_id")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_open_breaks")),
    )
    op.create_index(op.f("ix_open_breaks_began_at"), "open_breaks", ["began_at"])


def downgrade() -> None:
    op.drop_table("open_breaks")
