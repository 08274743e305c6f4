"""Crisis messages of the town, in the place of all others, with an end

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.create_table(
        "civic_overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("texts", db.base.Json(), nullable=False),
        sa.Column("sites", db.base.Json(), nullable=False),
        sa.Column("starts_at", instant, nullable=False),
        sa.Column("ends_at", instant, nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("stopped_at", instant, nullable=True),
        sa.Column("stopped_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_civic_overrides_ends")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_civic_overrides")),
    )
    op.create_index(op.f("ix_civic_overrides_ends_at"), "civic_overrides", ["ends_at"])
