"""Lengths that a site has of its own, the longest wait of a network, and how long a message wants to be read

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

LENGTHS = ("lease_seconds", "viewing_seconds", "longest_wait_seconds")
POSITIVE = "lease_seconds > 0 AND viewing_seconds >= 0 AND longest_wait_seconds >= 0"


def upgrade() -> None:
    with op.batch_alter_table("networks") as table:
        table.add_column(sa.Column("longest_wait_seconds", sa.Integer(), nullable=False, server_default="15"))
    op.execute("UPDATE networks SET longest_wait_seconds = viewing_seconds WHERE viewing_seconds > 15")
    with op.batch_alter_table("networks") as table:
        table.create_check_constraint(
            op.f("ck_networks_longest_wait"), "viewing_seconds <= longest_wait_seconds"
        )
    with op.batch_alter_table("sites") as table:
        for name in LENGTHS:
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        table.create_check_constraint(op.f("ck_sites_lengths"), POSITIVE)
    with op.batch_alter_table("creatives") as table:
        table.add_column(sa.Column("viewing_seconds", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("creatives") as table:
        table.drop_column("viewing_seconds")
    with op.batch_alter_table("sites") as table:
        table.drop_constraint(op.f("ck_sites_lengths"), type_="check")
        for name in LENGTHS:
            table.drop_column(name)
    with op.batch_alter_table("networks") as table:
        table.drop_constraint(op.f("ck_networks_longest_wait"), type_="check")
        table.drop_column("longest_wait_seconds")
