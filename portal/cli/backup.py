"""``flask db backup`` and ``restore``: a copy of the database, and putting one back without giving anything back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from auth.audit import database
from db import copies
from portal.cli import restoring
from portal.cli.database import db
from portal.cli.operator import operator
from portal.services import services
from sessions.restoring import Restored

ON_POSTGRESQL = (
    "This is PostgreSQL: copy it with its own tools, and tell the portal afterwards (docs/backup-and-restore.md):\n"
    "  pg_dump --format=custom --file=FILE arobase\n"
    "  createdb arobase_new && pg_restore --dbname=arobase_new FILE\n"
    "  AROBASE_DATABASE_URL=postgresql:///arobase_new flask --app wsgi db restored --before postgresql:///arobase"
)
UNREADABLE = (
    "The database as it is cannot be read, so nobody knows which passes, accounts, tokens and credentials were taken "
    "back since the backup. With --lost all of them are closed, until a person opens them again."
)


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the database to FILE, while the portal runs. Only its owner may read the copy: it holds the log."""
    service, path = services(), _path()
    with service.make_session.begin() as session:
        database.backup_made(session, actor=operator(), now=service.clock())
    try:
        copies.copy(path, file)
    except FileExistsError as error:
        raise click.ClickException(f"{file} is there already: a backup overwrites nothing.") from error
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{file} was not written: {error}.") from error
    click.echo(f"The database is copied to {file}.")


@db.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--lost", is_flag=True, help="The database as it was is lost: close all that may have been taken back."
)
@click.option(
    "--gateways-kept", is_flag=True, help="With --lost: no credential of a gateway was changed since."
)
def restore(file: Path, lost: bool, gateways_kept: bool) -> None:
    """Put the backup FILE in the database's place, and take away again what was taken away since.

    Stop the portal first.
    """
    service, path = services(), _path()
    service.engine.dispose()
    try:
        done, aside = restoring.put_back(
            path,
            file,
            secret=service.settings.secret_key,
            lost=lost,
            gateways_kept=gateways_kept,
            now=service.clock(),
        )
    except restoring.NoBackup as error:
        raise click.ClickException(f"{file} is no whole database of Arobase. Nothing was changed.") from error
    except restoring.UnreadableBefore as error:
        raise click.ClickException(f"{UNREADABLE} Nothing was changed.") from error
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"The backup was not put back: {error}. Nothing was changed.") from error
    _say(done, lost=lost)
    if aside is not None:
        click.echo(
            f"The database as it was lies in {aside}: it holds the log since the backup. Keep it to its term."
        )


@db.command("restored")
@click.option("--before", help="The address of the database as it was.")
@click.option("--lost", is_flag=True, help="It is lost: close all that may have been taken back.")
@click.option(
    "--gateways-kept", is_flag=True, help="With --lost: no credential of a gateway was changed since."
)
def restored(before: str | None, lost: bool, gateways_kept: bool) -> None:
    """Say that this database was put back from a backup: what was taken away since is taken away again."""
    if lost == bool(before):
        raise click.UsageError(
            "Say where the database as it was can be read, --before URL, or that it is --lost."
        )
    service = services()
    try:
        done = restoring.revive(
            service.engine,
            secret=service.settings.secret_key,
            before_url=before,
            gateways_kept=gateways_kept,
            now=service.clock(),
        )
    except restoring.UnreadableBefore as error:
        raise click.ClickException(f"{UNREADABLE} Nothing was changed.") from error
    _say(done, lost=lost)


def _path() -> Path:
    url = make_url(services().settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise click.ClickException(ON_POSTGRESQL)
    return Path(url.database)


def _say(done: Restored, *, lost: bool) -> None:
    word = "closed" if lost else "carried over"
    for name, many in done.changed.items():
        click.echo(f"{name}\t{many} {word}")
    for name, many in done.missing.items():
        if many:
            click.echo(f"{name}\t{many} made since the backup are gone: make them again")
    click.echo("Every browser of staff is signed out. Every gateway is told everything anew.")
    if lost:
        click.echo(
            "Open what is still good: batches on their pages, accounts with `staff enable`, gateways with "
            "`gateways rotate`; tokens are made anew. Import the cards of patrons again."
        )
