"""What was served, viewed, blocked and reported; confirmations and reach of campaigns by day and month

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

COUNTS = ("served", "viewed", "over_cap", "confirmed", "blocked", "reported")
IN_ORDER = "served >= viewed AND viewed >= accepted + over_cap AND accepted + over_cap >= confirmed"


def upgrade() -> None:
    op.create_table(
        "served_impressions",
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("creative_id", sa.Integer(), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shown_at", db.base.UtcDateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("viewed", "blocked", "reported")),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_id"], [f"{one}s.id"], name=op.f(f"fk_served_impressions_{one}_id")
            )
            for one in ("creative", "network", "site")
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_served_impressions")),
    )
    op.create_index(op.f("ix_served_impressions_shown_at"), "served_impressions", ["shown_at"])
    op.create_table(
        "campaign_reaches",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_reaches_campaign_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "month", name=op.f("pk_campaign_reaches")),
    )
    for name in COUNTS:
        op.add_column("creative_days", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("creative_days", sa.Column("failures", db.base.Json(), nullable=False, server_default="{}"))
    # What was accepted was served and viewed; more is not known of what was there before.
    op.execute("UPDATE creative_days SET served = accepted, viewed = accepted")
    with op.batch_alter_table("creative_days") as table:
        table.create_check_constraint(op.f("ck_creative_days_in_order"), IN_ORDER)
