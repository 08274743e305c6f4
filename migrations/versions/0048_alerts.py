"""Who is told of troubles, and what each was told

Revision: 0048, after 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_recipients",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("least", sa.String(32), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("woken_by_broken", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(80), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "least IN ('broken', 'warning', 'waiting')", name=op.f("ck_alert_recipients_severity")
        ),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_alert_recipients_quiet_hours")
        ),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439", name=op.f("ck_alert_recipients_quiet_from")),
        sa.CheckConstraint("quiet_until BETWEEN 0 AND 1439", name=op.f("ck_alert_recipients_quiet_until")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_recipients")),
    )
    active = sa.text("retired_at IS NULL")
    op.create_index(
        "uq_alert_recipients_active",
        "alert_recipients",
        ["address"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )
    op.create_table(
        "alert_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trouble_id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(40), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(200), nullable=False),
        sa.CheckConstraint("stage IN ('began', 'over')", name=op.f("ck_alert_messages_stage")),
        sa.ForeignKeyConstraint(
            ["trouble_id"],
            ["troubles.id"],
            name=op.f("fk_alert_messages_trouble_id_troubles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_messages")),
        sa.UniqueConstraint(
            "trouble_id", "target", "stage", name=op.f("uq_alert_messages_trouble_id_target_stage")
        ),
    )
    op.create_index(op.f("ix_alert_messages_claimed_at"), "alert_messages", ["claimed_at"])
    unsent = sa.text("sent_at IS NULL")
    op.create_index(
        "ix_alert_messages_unsent", "alert_messages", ["try_at"], sqlite_where=unsent, postgresql_where=unsent
    )


def downgrade() -> None:
    op.drop_table("alert_messages")
    op.drop_table("alert_recipients")
