"""The audit trail becomes a chain of hashes, from its first entry on

Revision: 0006, after 0005
"""

import hashlib
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CONTENT = "number, at, actor, action, object, network, detail, canonical"
_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
_KEPT = (
    "OLD.action = 'trail purged' OR OLD.number > COALESCE((SELECT purged_to FROM trail_head WHERE id = 1), 0)"
)
BEFORE = {
    "sqlite": ("DROP TRIGGER trail_no_update", "DROP TRIGGER trail_no_delete"),
    "postgresql": ("DROP TRIGGER trail_append_only ON trail",),
}
# As `auth.audit.log` and `auth.audit.chain` make them.
AFTER = {
    "sqlite": (
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE OF {_CONTENT} ON trail {_ABORT}",
        f"CREATE TRIGGER trail_salt_once BEFORE UPDATE OF salt ON trail WHEN OLD.salt IS NOT NULL {_ABORT}",
        f"CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail WHEN {_KEPT} {_ABORT}",
        f"CREATE TRIGGER trail_links_no_update BEFORE UPDATE ON trail_links {_ABORT}",
        f"CREATE TRIGGER trail_links_no_delete BEFORE DELETE ON trail_links {_ABORT}",
    ),
    "postgresql": (
        "CREATE FUNCTION trail_purge_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_KEPT} THEN RAISE EXCEPTION 'the trail is append-only'; END IF; RETURN OLD; END $$",
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE OF {_CONTENT} ON trail "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
        "CREATE TRIGGER trail_salt_once BEFORE UPDATE OF salt ON trail "
        "FOR EACH ROW WHEN (OLD.salt IS NOT NULL) EXECUTE FUNCTION trail_append_only()",
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_purge_only()",
        "CREATE TRIGGER trail_links_append_only BEFORE UPDATE OR DELETE ON trail_links "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
    ),
}
STEP = 1000


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in BEFORE[dialect]:
        op.execute(statement)
    op.create_table(
        "trail_links",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("entry_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_trail_links")),
    )
    op.add_column("trail", sa.Column("salt", sa.LargeBinary(length=32), nullable=True))
    op.add_column("trail_head", sa.Column("linked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("trail_head", sa.Column("hash", sa.LargeBinary(length=32), nullable=True))
    op.add_column("trail_head", sa.Column("purged_to", sa.Integer(), nullable=False, server_default="0"))
    _link_what_is_there()
    for statement in AFTER[dialect]:
        op.execute(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        for name in ("trail_no_update", "trail_salt_once", "trail_no_delete"):
            op.execute(f"DROP TRIGGER {name}")
    else:
        for name in ("trail_no_update", "trail_salt_once", "trail_no_delete"):
            op.execute(f"DROP TRIGGER {name} ON trail")
        op.execute("DROP FUNCTION trail_purge_only()")
    op.drop_table("trail_links")
    for column in ("purged_to", "hash", "linked"):
        op.drop_column("trail_head", column)
    op.drop_column("trail", "salt")
    if dialect == "sqlite":
        op.execute(f"CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail {_ABORT}")
        op.execute(f"CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail {_ABORT}")
    else:
        op.execute(
            "CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE ON trail "
            "FOR EACH ROW EXECUTE FUNCTION trail_append_only()"
        )


def _link_what_is_there() -> None:
    """Chain the entries that were written before there was a chain."""
    connection = op.get_bind()
    trail = sa.table(
        "trail", sa.column("number"), sa.column("canonical"), sa.column("salt", sa.LargeBinary())
    )
    links = sa.table(
        "trail_links",
        sa.column("number"),
        sa.column("content_digest", sa.LargeBinary()),
        sa.column("entry_hash", sa.LargeBinary()),
    )
    head = sa.table("trail_head", sa.column("linked"), sa.column("hash", sa.LargeBinary()))
    last, before = 0, bytes(32)
    while rows := connection.execute(
        sa.select(trail.c.number, trail.c.canonical)
        .where(trail.c.number > last)
        .order_by(trail.c.number)
        .limit(STEP)
    ).all():
        for number, canonical in rows:
            salt = secrets.token_bytes(32)
            digest = hashlib.sha256(salt + canonical).digest()
            before = hashlib.sha256(before + number.to_bytes(8, "big") + digest).digest()
            connection.execute(sa.update(trail).where(trail.c.number == number).values(salt=salt))
            connection.execute(
                sa.insert(links).values(number=number, content_digest=digest, entry_hash=before)
            )
            last = number
    if last:
        connection.execute(sa.update(head).values(linked=last, hash=before))
