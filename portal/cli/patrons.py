"""``flask patrons``: the cards of a town that has no LDAP server, and the check of the directory of one that has."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from auth.patrons.csv_import import import_patrons
from auth.patrons.ldap.check import check_directory
from auth.patrons.ldap.client import membership_of
from auth.patrons.local import check_patrons
from config.findings import ConfigFinding, Severity
from db.engine import reading
from portal.cli.database import check_database
from portal.services import Services, services
from sites.errors import RefusedImport
from sites.import_export.rows import decode

patrons = AppGroup("patrons", help="Patrons: their cards, or the directory that has them.")


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


@patrons.command("check")
@click.option("--login", help="A card number or login to look up, as a person would type it.")
def check(login: str | None) -> None:
    """Ask the directory and the database what no setting can tell. Exit status 1 if somebody is kept out."""
    found = check_patrons_and_database(services(), login=login)
    for one in found:
        click.echo(f"{one.severity}\t{one.sentence}")
    if any(one.severity is Severity.FAULT for one in found):
        raise SystemExit(1)


def check_patrons_and_database(service: Services, *, login: str | None = None) -> list[ConfigFinding]:
    """Everything that sign-ins with a card rest on."""
    found = check_database(service.engine)
    settings = service.settings.ldap
    if settings is not None:
        membership = membership_of(settings)
        return found + check_directory(
            settings, membership, clock=lambda: service.clock().timestamp(), login=login
        )
    if any(one.severity is Severity.FAULT for one in found):
        return found
    with reading(service.make_session) as db:
        return found + check_patrons(db, login=login)
