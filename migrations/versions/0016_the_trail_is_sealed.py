"""The audit trail is sealed with the installation's secret; `db upgrade` seals what is there

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
# As `auth.audit.signatures` makes them.
APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER trail_seals_no_update BEFORE UPDATE ON trail_seals {_ABORT}",
        f"CREATE TRIGGER trail_seals_no_delete BEFORE DELETE ON trail_seals {_ABORT}",
    ),
    "postgresql": (
        "CREATE TRIGGER trail_seals_append_only BEFORE UPDATE OR DELETE ON trail_seals "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "trail_seals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", db.base.UtcDateTime(timezone=True), nullable=True),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_seals")),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
