"""Roles that take two people: who had a link in their hands, the word beside it, and what was asked and granted

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.add_column("staff", sa.Column("setup_word_digest", sa.String(length=64), nullable=True))
    op.add_column("staff", sa.Column("handed_by", sa.Integer(), nullable=True))
    op.create_table(
        "staff_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("roles", db.base.Json(), nullable=False),
        sa.Column("networks", db.base.Json(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("decided_at", instant, nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_requests_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_requests")),
    )
    op.create_index(op.f("ix_staff_requests_staff_id"), "staff_requests", ["staff_id"])
