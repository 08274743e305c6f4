"""Sessions of managed devices, and where their leases let them go

Revision: 0040, after 0039
"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
METHODS = ("patron", "pass", "free")
REASONS = ("expired", "left", "staff", "quota", "device_limit", "policy", "idle", "gateway_lost", "moved")
# A table that SQLite builds anew has only the checks that it is given: the others are said again.
OTHERS = {"entitlements": (), "access_sessions": (("endreason", "end_reason", REASONS),)}
# What SQLAlchemy does not read back.
KEPT = {"entitlements": {}, "access_sessions": {"sqlite_autoincrement": True}}
LAST_NUMBER = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'access_sessions'")


def upgrade() -> None:
    op.add_column("leases", sa.Column("destinations", db.base.Json(), nullable=True))
    op.add_column("leases", sa.Column("resolver", sa.String(45), nullable=True))
    _admit(*METHODS, "managed")


def downgrade() -> None:
    op.execute(
        "DELETE FROM usage WHERE access_id IN (SELECT id FROM access_sessions WHERE method = 'managed')"
    )
    op.execute(
        "DELETE FROM leases WHERE access_id IN (SELECT id FROM access_sessions WHERE method = 'managed')"
    )
    op.execute("DELETE FROM access_sessions WHERE method = 'managed'")
    op.execute("DELETE FROM entitlements WHERE method = 'managed'")
    _admit(*METHODS)
    with op.batch_alter_table("leases") as table:
        table.drop_column("resolver")
        table.drop_column("destinations")


def _admit(*methods: str) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    last = op.get_bind().scalar(LAST_NUMBER) if is_sqlite else None
    for name, others in OTHERS.items():
        with op.batch_alter_table(name, table_kwargs=KEPT[name]) as table:
            check = op.f(f"ck_{name}_signinmethod")
            table.drop_constraint(check, type_="check")
            table.create_check_constraint(check, f"method IN ({_listed(methods)})")
            for other, column, words in others if is_sqlite else ():
                table.create_check_constraint(op.f(f"ck_{name}_{other}"), f"{column} IN ({_listed(words)})")
    if last is not None:
        # The table that was built anew counts from the rows that it has: a number of a purged session is used by none.
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'access_sessions'")
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('access_sessions', {int(last)})")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
