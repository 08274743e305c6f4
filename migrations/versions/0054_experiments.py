"""Experiments: what the town tries, by which figures it judges, and what it said on the way

Revision: 0054, after 0053
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
ADDED_ONLY = ("experiment_amendments", "experiment_reviews")


def never_changed(table: str) -> dict[str, tuple[str, ...]]:
    """As `auth.audit.append_only` makes them."""
    return {
        "sqlite": (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} {_ABORT}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {_ABORT}",
        ),
        "postgresql": (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
        ),
    }


def of_experiment(table: str, *columns: sa.Column) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name=op.f(f"fk_{table}_experiment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def needed(name: str, kind: sa.types.TypeEngine) -> sa.Column:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "experiments",
        needed("id", sa.Integer()),
        needed("name", sa.String(length=120)),
        needed("aim", sa.Text()),
        needed("first", sa.Date()),
        needed("last", sa.Date()),
        needed("networks", db.base.Json()),
        needed("written_at", db.base.UtcDateTime(timezone=True)),
        needed("written_by", sa.String(length=120)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    of_experiment(
        "experiment_indicators",
        needed("measure", sa.String(length=32)),
        needed("threshold", sa.Double()),
        sa.UniqueConstraint(
            "experiment_id", "measure", name=op.f("uq_experiment_indicators_experiment_id_measure")
        ),
    )
    of_experiment(
        "experiment_amendments",
        needed("measure", sa.String(length=32)),
        needed("before", sa.Double()),
        needed("after", sa.Double()),
        needed("reason", sa.Text()),
        needed("amended_at", db.base.UtcDateTime(timezone=True)),
        needed("amended_by", sa.String(length=120)),
    )
    of_experiment(
        "experiment_reviews",
        needed("held_on", sa.Date()),
        needed("note", sa.Text()),
        needed("figures", db.base.Json()),
        needed("written_at", db.base.UtcDateTime(timezone=True)),
        needed("written_by", sa.String(length=120)),
    )
    for table in ADDED_ONLY:
        op.create_index(f"ix_{table}_experiment_id", table, ["experiment_id"])
        for statement in never_changed(table)[op.get_bind().dialect.name]:
            op.execute(statement)


def downgrade() -> None:
    for table in (*reversed(ADDED_ONLY), "experiment_indicators", "experiments"):
        op.drop_table(table)
