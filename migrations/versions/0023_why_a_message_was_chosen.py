"""The ledger says by what a message was chosen; counts of creatives by day, and what counts towards a cap

Revision: 0023, after 0022
"""

from collections import Counter
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("claimed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "impressions", sa.Column("is_counted", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("impressions", sa.Column("draw", sa.BigInteger(), nullable=True))
    op.add_column("impressions", sa.Column("previous_id", sa.Integer(), nullable=True))
    op.add_column("impressions", sa.Column("choice_digest", sa.String(length=22), nullable=True))
    op.create_table(
        "campaign_days",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_days_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "day", name=op.f("pk_campaign_days")),
    )
    op.create_table(
        "creative_days",
        sa.Column("creative_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["creative_id"], ["creatives.id"], name=op.f("fk_creative_days_creative_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_creative_days_network_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_creative_days_site_id")),
        sa.PrimaryKeyConstraint("creative_id", "day", "network_id", "site_id", name=op.f("pk_creative_days")),
    )
    op.create_table(
        "choice_inputs",
        sa.Column("digest", sa.String(length=22), nullable=False),
        sa.Column("written", db.base.Json(), nullable=False),
        sa.Column("used_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_choice_inputs")),
    )
    op.create_index(op.f("ix_choice_inputs_used_at"), "choice_inputs", ["used_at"])
    _count_what_is_there()


def _count_what_is_there() -> None:
    """The counts begin with the whole ledger."""
    connection = op.get_bind()
    instant = db.base.UtcDateTime(timezone=True)
    sites = sa.table("sites", sa.column("id"), sa.column("zone"))
    ledger = sa.table(
        "impressions",
        *map(sa.column, ("creative_id", "network_id", "site_id")),
        sa.column("accepted_at", instant),
    )
    names = ("creative_id", "day", "network_id", "site_id", "accepted")
    days = sa.table(
        "creative_days", *(sa.column(name, sa.Date() if name == "day" else None) for name in names)
    )
    zones = {row.id: ZoneInfo(row.zone) for row in connection.execute(sa.select(sites))}
    counts: Counter[tuple[object, ...]] = Counter()
    for row in connection.execute(sa.select(ledger).where(ledger.c.creative_id.is_not(None))):
        day = row.accepted_at.astimezone(zones[row.site_id]).date()
        counts[row.creative_id, day, row.network_id, row.site_id] += 1
    rows = [dict(zip(names, (*key, accepted), strict=True)) for key, accepted in counts.items()]
    if rows:
        connection.execute(days.insert(), rows)
