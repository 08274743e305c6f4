"""Counters that stay right whatever becomes of the reports, and drifts between gateways and leases

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNSETTLED = sa.text("settled_at IS NULL")
COUNTERS = ("bytes_up", "bytes_down", "packets_up", "packets_down")


def upgrade() -> None:
    op.create_table(
        "drifts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing", "surplus", name="driftkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("since", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("settled_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "remedy",
            sa.Enum(
                "told_again", "closed", name="remedy", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_drifts_gateway_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drifts")),
    )
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.create_index("ix_drifts_settled", ["gateway_id", "settled_at"], unique=False)
        batch_op.create_index(
            "uq_drifts_unsettled",
            ["gateway_id", "number", "kind"],
            unique=True,
            sqlite_where=UNSETTLED,
            postgresql_where=UNSETTLED,
        )

    op.create_table(
        "gateway_lives",
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("began_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_lives_gateway_id")),
        sa.PrimaryKeyConstraint("gateway_id", "epoch", name=op.f("pk_gateway_lives")),
    )
    with op.batch_alter_table("usage", schema=None) as batch_op:
        for name in ("sequence", *(f"last_{counter}" for counter in COUNTERS)):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    # So far a row held the highest that its counters had told.
    op.execute(f"UPDATE usage SET {', '.join(f'last_{name} = {name}' for name in COUNTERS)}")


def downgrade() -> None:
    with op.batch_alter_table("usage", schema=None) as batch_op:
        for name in ("sequence", *(f"last_{counter}" for counter in COUNTERS)):
            batch_op.drop_column(name)

    op.drop_table("gateway_lives")
    with op.batch_alter_table("drifts", schema=None) as batch_op:
        batch_op.drop_index("uq_drifts_unsettled", sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)
        batch_op.drop_index("ix_drifts_settled")

    op.drop_table("drifts")
