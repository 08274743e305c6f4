"""Figures by day, sketches of devices, and the fastest stretch of a session

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PAIR = ("day_figures", "day_sketches", "month_sketches", "ad_day_figures")


def by_pair(table: str, period: str, *columns: sa.Column) -> None:
    """A table with one row for each day or month, network and site."""
    op.create_table(
        table,
        sa.Column(period, sa.Date(), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f(f"fk_{table}_network_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f(f"fk_{table}_site_id")),
        sa.PrimaryKeyConstraint(period, "network_id", "site_id", name=op.f(f"pk_{table}")),
    )


def needed(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "figure_days",
        needed("day", sa.Date()),
        needed("version", sa.String(length=16)),
        needed("made_at", db.base.UtcDateTime(timezone=True)),
        needed("devices", sa.Integer()),
        needed("devices_by_network", db.base.Json()),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_figure_days")),
    )
    by_pair(
        "day_figures",
        "day",
        needed("basis", db.base.Json()),
        needed("sessions", sa.Integer()),
        needed("reattached", sa.Integer()),
        needed("random_address", sa.Integer()),
        needed("visits", sa.Integer()),
        needed("devices", sa.Integer()),
        needed("connected_seconds", sa.BigInteger()),
        needed("bytes_up", sa.BigInteger()),
        needed("bytes_down", sa.BigInteger()),
        needed("expected_seconds", sa.Integer()),
        needed("outage_seconds", sa.Integer()),
        needed("methods", db.base.Json()),
        needed("failures", db.base.Json()),
        needed("hour_sessions", db.base.Json()),
        needed("hour_seconds", db.base.Json()),
        needed("at_once", db.base.Json()),
        needed("rates", db.base.Json()),
    )
    op.create_table(
        "figure_salts",
        needed("month", sa.Date()),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("destroyed_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_figure_salts")),
    )
    by_pair("day_sketches", "day", needed("sketch", sa.LargeBinary()))
    by_pair("month_sketches", "month", needed("devices", sa.Integer()), needed("sketch", sa.LargeBinary()))
    by_pair("ad_day_figures", "day", needed("accepted", sa.Integer()))
    with op.batch_alter_table("usage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("best_down_kbps", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_access_sessions_started_ended", "access_sessions", ["started_at", "ended_at"])
    op.create_index("ix_impressions_accepted_at", "impressions", ["accepted_at"])


def downgrade() -> None:
    op.drop_index("ix_impressions_accepted_at", "impressions")
    op.drop_index("ix_access_sessions_started_ended", "access_sessions")
    with op.batch_alter_table("usage", schema=None) as batch_op:
        batch_op.drop_column("best_down_kbps")
    for table in (*reversed(PAIR), "figure_salts", "figure_days"):
        op.drop_table(table)
