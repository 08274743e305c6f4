"""``flask db``: how the memory changes shape."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from auth.plans import add_first_plans
from db import wake
from db.reserve import reserve_of
from portal.services import services
from sessions.keeping import terms

db = AppGroup("db", help="The database.")
DEAF = (
    "AROBASE_DATABASE_URL leads through a pooler that shares connections by transaction (pgbouncer's "
    "pool_mode = transaction or statement): no gateway would hear of a sign-in. "
    "Set pool_mode = session there, or name PostgreSQL itself."
)
ROOT = Path(__file__).parent.parent.parent


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest shape. Harmless to repeat. A pooler that deafens gateways is refused."""
    # Alembic takes a second to import: only this command pays for it.
    from alembic import command
    from alembic.config import Config

    try:
        wake.prove(services().engine)
    except wake.DeafConnection:
        raise click.ClickException(DEAF) from None
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with services().engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with services().make_session.begin() as session:
        # A desk can issue passes from the first day on.
        add_first_plans(session)
        terms.seed(session, now=services().clock())
    if (reserve := reserve_of(services().settings.database_url)) is not None:
        reserve.take()
    click.echo("The database is up to date.")
