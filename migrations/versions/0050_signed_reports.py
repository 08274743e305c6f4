"""Usage reports that somebody has signed off

Revision: 0050, after 0049
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
# As `sessions.statistics.signed` makes them.
APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER signed_reports_no_update BEFORE UPDATE ON signed_reports {_ABORT}",
        f"CREATE TRIGGER signed_reports_no_delete BEFORE DELETE ON signed_reports {_ABORT}",
    ),
    "postgresql": (
        "CREATE TRIGGER signed_reports_append_only BEFORE UPDATE OR DELETE ON signed_reports "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "signed_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("networks", db.base.Json(), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=False),
        sa.Column("numbers_digest", sa.String(length=64), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("signed_at", db.base.UtcDateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_reports")),
        sa.UniqueConstraint(
            "question", "numbers_digest", name=op.f("uq_signed_reports_question_numbers_digest")
        ),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("signed_reports")
