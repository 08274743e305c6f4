"""The log: refusals, outages, blocks of ports, and when a device landed

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LASTING = sa.text("until IS NULL")


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("gateway_id", sa.Integer(), nullable=True),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("voucher_id", sa.Integer(), nullable=True),
        sa.Column("access_id", sa.Integer(), nullable=True),
        sa.Column("landed_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("detail", db.base.Json(), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_decisions_gateway_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_decisions_network_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_decisions_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("code", name=op.f("uq_decisions_code")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_at"), ["at"], unique=False)
        batch_op.create_index("ix_decisions_mac", ["mac", "at"], unique=False)
        batch_op.create_index("ix_decisions_site", ["site_id", "at"], unique=False)

    op.create_table(
        "outages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("since", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_outages_gateway_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.create_index("ix_outages_since", ["gateway_id", "since"], unique=False)
        batch_op.create_index(
            "uq_outages_lasting",
            ["gateway_id"],
            unique=True,
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        )

    with op.batch_alter_table("access_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("landed_at", db.base.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("public_address", sa.String(length=45), nullable=True))
        batch_op.add_column(sa.Column("port_first", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("port_last", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_column("port_last")
        batch_op.drop_column("port_first")
        batch_op.drop_column("public_address")

    with op.batch_alter_table("access_sessions", schema=None) as batch_op:
        batch_op.drop_column("landed_at")

    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_outages_lasting",
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        )
        batch_op.drop_index("ix_outages_since")

    op.drop_table("outages")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index("ix_decisions_site")
        batch_op.drop_index("ix_decisions_mac")
        batch_op.drop_index(batch_op.f("ix_decisions_at"))

    op.drop_table("decisions")
