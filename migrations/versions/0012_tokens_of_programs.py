"""Tokens of programs, and the requests for passes that are carried out once

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", db.base.Json(), nullable=False),
        sa.Column("networks", db.base.Json(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
        sa.UniqueConstraint("name", name=op.f("uq_api_tokens_name")),
    )
    op.create_table(
        "pass_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.Column("wish_digest", sa.String(length=64), nullable=False),
        sa.Column("asked_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["voucher_batches.id"], name=op.f("fk_pass_requests_batch_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name=op.f("fk_pass_requests_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_requests")),
        sa.UniqueConstraint("token_id", "key_digest", name=op.f("uq_pass_requests_token_id_key_digest")),
    )
    with op.batch_alter_table("pass_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pass_requests_asked_at"), ["asked_at"], unique=False)


def downgrade() -> None:
    op.drop_table("pass_requests")
    op.drop_table("api_tokens")
