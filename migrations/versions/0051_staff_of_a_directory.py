"""Accounts of staff for which the town's directory vouches, and what its groups may do

Revision: 0051, after 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("issuer", sa.String(255), nullable=True))
    op.add_column("staff", sa.Column("subject", sa.String(255), nullable=True))
    op.add_column("staff", sa.Column("groups", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("staff", sa.Column("affirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_staff_issuer_subject", "staff", ["issuer", "subject"], unique=True)
    op.add_column("staff_sessions", sa.Column("provider_session", sa.String(255), nullable=True))
    op.add_column("staff_sessions", sa.Column("refresh_token", sa.Text(), nullable=True))
    op.add_column("staff_sessions", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_staff_sessions_provider_session"), "staff_sessions", ["provider_session"])
    op.create_table(
        "staff_group_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("group", sa.String(255), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("all_networks", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_group_grants")),
        sa.UniqueConstraint("issuer", "group", name=op.f("uq_staff_group_grants_issuer_group")),
    )


def downgrade() -> None:
    op.drop_table("staff_group_grants")
    op.drop_index(op.f("ix_staff_sessions_provider_session"), "staff_sessions")
    for name in ("checked_at", "refresh_token", "provider_session"):
        op.drop_column("staff_sessions", name)
    op.drop_index("ix_staff_issuer_subject", "staff")
    for name in ("affirmed_at", "groups", "subject", "issuer"):
        op.drop_column("staff", name)
