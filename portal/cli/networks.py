"""``flask networks``: the look of a network, its logo, and a preview of both."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from portal.cli import LazyCommand
from portal.cli.pictures import alt_option, alt_texts, prepare_file, refusals_as_errors, remove_option
from portal.services import services
from sites import pictures
from sites.images.shapes import LOGO
from sites.queries import network_by_slug

networks = AppGroup("networks", help="The look of a network.")
networks.add_command(
    LazyCommand("preview", "portal.previews:preview", "Show guests' pages in a new look, before it is saved.")
)


@networks.command("logo")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@alt_option
@remove_option
def logo(slug: str, file: Path | None, alt: tuple[tuple[str, str], ...], remove: bool) -> None:
    """Give the network SLUG the logo in FILE, a PNG, JPEG or WebP."""
    prepared = prepare_file(file, LOGO, remove=remove)
    with services().make_session.begin() as db:
        network = network_by_slug(db, slug)
        if network is None:
            raise click.ClickException(f"There is no network {slug!r}.")
        if prepared is None:
            pictures.remove_logo(db, network)
        else:
            with refusals_as_errors():
                pictures.set_logo(db, network, prepared, alt=alt_texts(alt))
    click.echo(f"{slug} has no logo any more." if prepared is None else f"{slug} has its logo.")
