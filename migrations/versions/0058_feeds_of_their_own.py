"""What changes with every lease apart from the records of the gateways

Revision: 0058, after 0057
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nobody may stamp a version between the copy and the end of the old column: a feed that went back would
    # tell a gateway nothing of the leases between.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("LOCK TABLE gateways IN ACCESS EXCLUSIVE MODE")
    op.create_table(
        "feeds",
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("confirmed_version", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateways.id"], name=op.f("fk_feeds_gateway_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_feeds")),
    )
    op.execute(
        "INSERT INTO feeds (gateway_id, version, confirmed_version, seen_at)"
        " SELECT id, feed_version, confirmed_version, seen_at FROM gateways"
    )
    for name in ("feed_version", "confirmed_version", "seen_at"):
        op.drop_column("gateways", name)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("LOCK TABLE feeds IN ACCESS EXCLUSIVE MODE")
    op.add_column("gateways", sa.Column("feed_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(
        "gateways", sa.Column("confirmed_version", sa.Integer(), nullable=False, server_default="1")
    )
    op.add_column("gateways", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("feed_version", "confirmed_version", "seen_at"):
        column = "version" if name == "feed_version" else name
        op.execute(
            f"UPDATE gateways SET {name} = (SELECT {column} FROM feeds WHERE gateway_id = gateways.id)"
        )
    op.drop_table("feeds")
