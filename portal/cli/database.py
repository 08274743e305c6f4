"""``flask db``: how the memory changes shape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from auth.audit.sealing import seal_all
from auth.audit.signatures import AuditSeal, AuditSeals
from auth.vouchers.plans import add_first_plans
from config import Secret
from config.findings import ConfigFinding, fault, good
from db import notify
from db.disk_reserve import reserve_of
from portal.services import services
from sessions.retention import periods

db = AppGroup("db", help="The database.")
DEAF = (
    "AROBASE_DATABASE_URL leads through a pooler that shares connections by transaction (pgbouncer's "
    "pool_mode = transaction or statement): no gateway would hear of a sign-in. "
    "Set pool_mode = session there, or name PostgreSQL itself."
)
ROOT = Path(__file__).parent.parent.parent


class BrokenReferences(Exception):
    """These tables have rows that refer to nothing."""


def check_database(engine: Engine) -> list[ConfigFinding]:
    """Whether the database answers, and has the newest shape."""
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    newest = ScriptDirectory.from_config(config).get_current_head()
    try:
        with engine.connect() as connection:
            shape = MigrationContext.configure(connection).get_current_revision()
        notify.check_notifications(engine)
    except SQLAlchemyError as error:
        return [_away(error)]
    except notify.DeafConnection:
        return [fault(DEAF)]
    if shape != newest:
        is_at = f"has the shape {shape}" if shape else "is empty"
        return [fault(f"the database {is_at}, and {newest} is the newest: flask --app wsgi db upgrade")]
    return [good(f"the database answers and has the newest shape, {newest}.")]


def _away(error: SQLAlchemyError) -> ConfigFinding:
    return fault(f"AROBASE_DATABASE_URL: the database cannot be used: {reason_of(error)}")


def reason_of(error: SQLAlchemyError) -> str:
    """The driver's own words, on one line; the statement and its values stay out."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:300]


def to_newest_shape(engine: Engine, secret: Secret) -> None:
    """Bring a database to the newest shape. Harmless to repeat. Raises `BrokenReferences`."""
    # Alembic takes a second to import: only these commands pay for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with _migrating(engine) as connection:
        config.attributes["connection"] = connection
        was_sealed = inspect(connection).has_table(AuditSeal.__tablename__)
        command.upgrade(config, "head")
        if not was_sealed:
            # Only now: whoever takes the seals off later does not get new ones by this.
            seal_all(Session(connection), AuditSeals(secret))


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction in which tables may be rebuilt.

    SQLite changes a table by copying it and dropping the old one, which it refuses while rows of other tables refer to
    it: foreign keys are checked once, at the end (sqlite.org/lang_altertable.html, section 7). The pragma works only
    outside a transaction. Raises `BrokenReferences`; nothing has changed then.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                tables = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
                if tables:
                    raise BrokenReferences(sorted(tables))
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


@db.command("upgrade")
def upgrade() -> None:
    """Bring the database to the newest shape. Harmless to repeat. A pooler that deafens gateways is refused."""
    try:
        # First of all, since what goes wrong below it is told in the driver's own words.
        services().engine.connect().close()
        notify.check_notifications(services().engine)
        to_newest_shape(services().engine, services().settings.secret_key)
    except OperationalError as error:
        raise click.ClickException(_away(error).sentence) from error
    except notify.DeafConnection:
        raise click.ClickException(DEAF) from None
    with services().make_session.begin() as session:
        # A desk can issue passes from the first day on.
        add_first_plans(session)
        periods.seed(session, now=services().clock())
    if (reserve := reserve_of(services().settings.database_url)) is not None:
        reserve.take()
    click.echo("The database is up to date.")
