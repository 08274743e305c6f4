"""``flask front``: the configuration of nginx before the portal, and the pages that it shows by itself."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.nginx import Front, ImpossibleFront, render, write_pages
from portal.services import services

# Named, not read: both are for root alone, and this command runs as the portal's user.
FILE = click.Path(path_type=Path, readable=False)


@click.group()
def front() -> None:
    """nginx before the portal: docs/real-site.md."""


@front.command()
@click.option("--certificate", type=FILE, default="/etc/arobase/portal.pem", show_default=True)
@click.option("--key", type=FILE, default="/etc/arobase/portal.key", show_default=True)
@click.option(
    "--staff-listen",
    multiple=True,
    help="Address and port of AROBASE_STAFF_URL, such as 192.0.2.10:443: one that guests do not reach.",
)
@with_appcontext
def nginx(certificate: Path, key: Path, staff_listen: tuple[str, ...]) -> None:
    """Print the configuration for this installation's settings."""
    try:
        made = render(Front(certificate, key, staff_listens=staff_listen), services().settings)
    except ImpossibleFront as reason:
        raise click.ClickException(str(reason)) from reason
    click.echo(made, nl=False)


@front.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@with_appcontext
def pages(folder: Path) -> None:
    """Write what nginx shows where the portal is busy or away, in each language."""
    write_pages(current_app, folder)
