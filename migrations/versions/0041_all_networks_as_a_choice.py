"""All networks as a choice of its own, and the library where an account hands passes out

Until now an empty list of networks meant all of them: what existing accounts, requests and tokens may do stays.

Revision: 0041, after 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

TABLES = ("staff", "staff_requests", "api_tokens")


def upgrade() -> None:
    for name in TABLES:
        op.add_column(
            name, sa.Column("all_networks", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        rows = sa.table(name, sa.column("networks", sa.Text), sa.column("all_networks", sa.Boolean))
        op.execute(rows.update().where(rows.c.networks == "[]").values(all_networks=sa.true()))
    op.add_column("staff", sa.Column("home_site", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    # Without the column an empty list means all networks again: whoever has none would have all.
    for name in TABLES:
        rows = sa.table(name, sa.column("networks", sa.Text), sa.column("all_networks", sa.Boolean))
        emptied = sa.and_(rows.c.networks == "[]", rows.c.all_networks.is_(sa.false()))
        op.execute(rows.update().where(emptied).values(networks='[""]'))
        op.drop_column(name, "all_networks")
    op.drop_column("staff", "home_site")
