"""Gateways of other makes: options, the credential before, what they told of clients, the last exchanges

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("gateways") as table:
        table.add_column(sa.Column("options", sa.Text(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("previous_digest", sa.String(64), nullable=True))
        table.add_column(sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "client_landings",
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("landed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateways.id"], name=op.f("fk_client_landings_gateway_id_gateways")
        ),
        sa.PrimaryKeyConstraint("gateway_id", "mac", name=op.f("pk_client_landings")),
    )
    op.create_index(op.f("ix_client_landings_landed_at"), "client_landings", ["landed_at"])
    op.create_table(
        "gateway_dialogues",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", sa.String(500), nullable=False),
        sa.Column("answered", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateways.id"], name=op.f("fk_gateway_dialogues_gateway_id_gateways")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_dialogues")),
    )
    op.create_index(op.f("ix_gateway_dialogues_gateway_id"), "gateway_dialogues", ["gateway_id"])
    op.create_index(op.f("ix_gateway_dialogues_at"), "gateway_dialogues", ["at"])


def downgrade() -> None:
    op.drop_table("gateway_dialogues")
    op.drop_table("client_landings")
    with op.batch_alter_table("gateways") as table:
        table.drop_column("previous_until")
        table.drop_column("previous_digest")
        table.drop_column("options")
