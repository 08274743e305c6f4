"""``flask patrons``: the embedded directory of a town that has no LDAP server."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from auth.patron_import import import_patrons
from portal.services import services
from sites.errors import RefusedImport
from sites.exchange.rows import decode

patrons = AppGroup("patrons", help="Patrons of the embedded directory.")


@patrons.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--allow-short", is_flag=True, help="Take numbers that look as if they had lost their first zeros."
)
def import_file(file: Path, allow_short: bool) -> None:
    """Import patrons from a CSV file with the columns card, pin, category, expires_on, blocked."""
    if services().settings.ldap is not None:
        raise click.ClickException(
            "Patrons come from LDAP here (AROBASE_LDAP_…): there is nothing to import."
        )
    try:
        with services().make_session.begin() as db:
            imported = import_patrons(db, decode(file.read_bytes()), allow_short=allow_short)
    except RefusedImport as error:
        raise click.ClickException(f"Nothing was imported.\n{error}") from error
    click.echo(f"{imported.added} added, {imported.changed} changed, {imported.unchanged} as they were.")
