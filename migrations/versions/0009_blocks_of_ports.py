"""Blocks of ports: what a gateway's clients are seen behind, and a quick way from an address to its leases

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TRANSLATED = sa.text("public_address IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("gateways", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("public_addresses", db.base.Json(), nullable=False, server_default="[]")
        )
        batch_op.add_column(sa.Column("ports_per_client", sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_leases_public",
            ["public_address", "until"],
            unique=False,
            sqlite_where=TRANSLATED,
            postgresql_where=TRANSLATED,
        )


def downgrade() -> None:
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_index("ix_leases_public", sqlite_where=TRANSLATED, postgresql_where=TRANSLATED)

    with op.batch_alter_table("gateways", schema=None) as batch_op:
        batch_op.drop_column("ports_per_client")
        batch_op.drop_column("public_addresses")
