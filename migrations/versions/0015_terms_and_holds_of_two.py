"""Shorter terms that two people want, holds of one network, and the record of terms that no purge takes

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CLASSES = ("connection", "traffic", "account", "security", "acceptance", "trail")
_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
_KEPT = (
    "OLD.action IN ('trail purged', 'shorter term asked', 'shorter term confirmed', 'shorter term withdrawn', "
    "'term changed') OR OLD.number > COALESCE((SELECT purged_to FROM trail_head WHERE id = 1), 0)"
)
# As `auth.audit.log` makes them.
KEEP = {
    "sqlite": (
        "DROP TRIGGER trail_no_delete",
        f"CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail WHEN {_KEPT} {_ABORT}",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION trail_purge_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_KEPT} THEN RAISE EXCEPTION 'the trail is append-only'; END IF; RETURN OLD; END $$",
    ),
}


def _word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, length=32, create_constraint=True)


def upgrade() -> None:
    instant = db.base.UtcDateTime(timezone=True)
    op.create_table(
        "term_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("data_class", _word("dataclass", *CLASSES), nullable=False),
        sa.Column("basis", sa.String(length=400), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("unit", _word("termunit", "days", "months", "years"), nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("confirmed_at", instant, nullable=True),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("ended_at", instant, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term_changes")),
    )
    op.create_index(
        "uq_term_changes_open",
        "term_changes",
        ["data_class"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column("retention_rules", sa.Column("changed_by", sa.String(length=80), nullable=True))
    with op.batch_alter_table("legal_holds") as table:
        table.add_column(sa.Column("network_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("lift_asked_at", instant, nullable=True))
        table.add_column(sa.Column("lift_asked_by", sa.String(length=80), nullable=True))
        table.create_foreign_key(op.f("fk_legal_holds_network_id"), "networks", ["network_id"], ["id"])
    for statement in KEEP[op.get_bind().dialect.name]:
        op.execute(statement)
