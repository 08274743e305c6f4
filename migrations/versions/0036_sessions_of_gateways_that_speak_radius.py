"""Sessions as gateways that speak RADIUS account for them

Revision: 0036, after 0035
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
COUNTERS = ("bytes_up", "bytes_down", "packets_up", "packets_down")


def upgrade() -> None:
    op.create_table(
        "nas_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sa.Integer(), nullable=False),
        sa.Column("access_id", sa.Integer(), nullable=True),
        sa.Column("nas", sa.String(253), nullable=False),
        sa.Column("acct_session_id", sa.String(253), nullable=False),
        sa.Column("mac", sa.String(17), nullable=False),
        sa.Column("life", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(253), nullable=False),
        sa.Column("calling_station_id", sa.String(253), nullable=False),
        sa.Column("framed_address", sa.String(45), nullable=False),
        sa.Column("nas_identifier", sa.String(253), nullable=False),
        sa.Column("nas_address", sa.String(45), nullable=False),
        sa.Column("started_at", db.base.UtcDateTime(), nullable=False),
        sa.Column("nas_started_at", db.base.UtcDateTime(), nullable=True),
        sa.Column("clock_offset", sa.BigInteger(), nullable=True),
        sa.Column("last_heard_at", db.base.UtcDateTime(), nullable=False),
        sa.Column("lost_at", db.base.UtcDateTime(), nullable=False),
        sa.Column("stopped_at", db.base.UtcDateTime(), nullable=True),
        sa.Column("stop_cause", sa.String(64), nullable=False),
        sa.Column("is_stop_told", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTERS),
        *(sa.Column(f"last_{name}", sa.BigInteger(), nullable=False) for name in COUNTERS),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateways.id"], name=op.f("fk_nas_sessions_gateway_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nas_sessions")),
    )
    op.create_index(
        "uq_nas_sessions_life",
        "nas_sessions",
        ["gateway_id", "acct_session_id", "mac", "life"],
        unique=True,
    )
    running = sa.text("stopped_at IS NULL")
    op.create_index(
        "ix_nas_sessions_open",
        "nas_sessions",
        ["lost_at"],
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_index("ix_nas_sessions_access", "nas_sessions", ["access_id"])
    op.create_index("ix_nas_sessions_stopped", "nas_sessions", ["stopped_at"])


def downgrade() -> None:
    op.drop_table("nas_sessions")
