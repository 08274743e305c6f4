"""``flask patrons``: the embedded directory of a town that has no LDAP server."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from auth.patron_import import RefusedImport, import_patrons
from portal.services import services

patrons = AppGroup("patrons", help="Patrons of the embedded directory.")


@patrons.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(file: Path) -> None:
    """Import patrons from a CSV file with the columns card, pin, category, expires_on, blocked."""
    if services().settings.ldap is not None:
        raise click.ClickException(
            "Patrons come from LDAP here (AROBASE_LDAP_…): there is nothing to import."
        )
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8: save it again as CSV UTF-8.") from error
    try:
        with services().make_session.begin() as db:
            imported = import_patrons(db, text)
    except RefusedImport as error:
        raise click.ClickException(f"Nothing was imported.\n{error}") from error
    click.echo(f"{imported.added} added, {imported.changed} changed, {imported.unchanged} as they were.")
