"""Terms, legal holds, the books of purges, and the clock that was last believed

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CLASSES = ("connection", "traffic", "account", "security", "acceptance", "trail")


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=32, create_constraint=True)


def upgrade() -> None:
    op.create_table(
        "retention_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("data_class", _word("dataclass", *CLASSES), nullable=False),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("unit", _word("termunit", "days", "months", "years"), nullable=False),
        sa.Column("starts_at", _word("startevent", "connection_end", "account_end", "event"), nullable=False),
        sa.Column("valid_from", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("valid_to", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("term > 0", name=op.f("ck_retention_rules_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_rules")),
    )
    op.create_index(
        "uq_retention_rules_current",
        "retention_rules",
        ["data_class"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("mac", sa.String(length=17), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("since", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("until", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("confirmed_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("expires_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_legal_holds_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_table(
        "purge_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("as_of", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("cutoffs", db.base.Json(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("finished_at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("refused", _word("purgerefusal", "clock", "runaway"), nullable=True),
        sa.Column("detail", db.base.Json(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("adds_up", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge_runs")),
    )
    op.create_index(op.f("ix_purge_runs_as_of"), "purge_runs", ["as_of"])
    op.create_table(
        "purge_counts",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("data_class", _word("dataclass", *CLASSES), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("left", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["purge_runs.id"], name=op.f("fk_purge_counts_run_id")),
        sa.PrimaryKeyConstraint("run_id", "table_name", name=op.f("pk_purge_counts")),
    )
    op.create_table(
        "clock_watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("doubted_from", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_watch")),
    )
    op.create_index(
        "ix_access_sessions_ended_at",
        "access_sessions",
        ["ended_at"],
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.create_index("ix_access_sessions_of_entitlement", "access_sessions", ["entitlement_id"])
    op.create_index(
        "ix_access_sessions_previous",
        "access_sessions",
        ["previous_id"],
        sqlite_where=sa.text("previous_id IS NOT NULL"),
        postgresql_where=sa.text("previous_id IS NOT NULL"),
    )


def downgrade() -> None:
    for name in ("previous", "of_entitlement", "ended_at"):
        op.drop_index(f"ix_access_sessions_{name}", "access_sessions")
    for table in ("clock_watch", "purge_counts", "purge_runs", "legal_holds", "retention_rules"):
        op.drop_table(table)
