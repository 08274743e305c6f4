"""Blocks: devices and persons that may not come in for a while

Revision: 0046, after 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kinds = sa.Enum(
        "device", "person", name="blockkind", native_enum=False, length=32, create_constraint=True
    )
    causes = sa.Enum(
        *("disturbance", "misuse", "lost", "decision"),
        name="blockcause",
        native_enum=False,
        length=32,
        create_constraint=True,
    )
    op.create_table(
        "blocks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=True),
        sa.Column("cause", causes, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(80), nullable=True),
        sa.Column("lift_reason", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_blocks_network_id_networks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_target", "blocks", ["target"])


def downgrade() -> None:
    op.drop_table("blocks")
