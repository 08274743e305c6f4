"""What the forms of staff came to, so that none is carried out twice

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("asked_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("replaces", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["staff_sessions.id"],
            name=op.f("fk_staff_answers_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["voucher_batches.id"], name=op.f("fk_staff_answers_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_answers")),
        sa.UniqueConstraint("digest", name=op.f("uq_staff_answers_digest")),
    )
    with op.batch_alter_table("staff_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_answers_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_staff_answers_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_staff_answers_session_id"), ["session_id"], unique=False)


def downgrade() -> None:
    op.drop_table("staff_answers")
