"""``flask sites poster``: the sheet for the door of a place."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from db.engine import reading
from portal.printing.posters import PosterPaper, poster_of, print_poster
from portal.printing.tickets import UnprintableVoucher
from portal.printing.typesetter import FailedPrinting, RendererBusy
from portal.services import services
from sites.models import Network, Site
from sites.queries import site_by_slug


@click.command("poster")
@click.argument("slug")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--network", help="Needed where the site has several networks.")
@click.option(
    "--paper",
    type=click.Choice([one.value for one in PosterPaper]),
    default=PosterPaper.A4.value,
    show_default=True,
)
@with_appcontext
def poster(slug: str, file: Path, network: str | None, paper: str) -> None:
    """Print the poster for the door of the site SLUG into FILE, a PDF: how to join, and how to know the true page."""
    service = services()
    with reading(service.make_session) as db:
        site = site_by_slug(db, slug)
        if site is None:
            raise click.ClickException(f"There is no site {slug!r}.")
        made = poster_of(
            db,
            site,
            _network(site, network),
            settings=service.settings,
            languages=service.settings.languages,
        )
    try:
        file.write_bytes(print_poster(made, PosterPaper(paper)))
    except UnprintableVoucher as error:
        raise click.ClickException(str(error)) from error
    except (FailedPrinting, RendererBusy) as error:
        raise click.ClickException(f"It could not be printed: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"Printed into {file}.")


def _network(site: Site, slug: str | None) -> Network:
    found = [one for one in site.networks if slug in (None, one.slug)]
    if len(found) != 1:
        offered = ", ".join(one.slug for one in site.networks) or "none"
        raise click.ClickException(f"Say which network with --network; {site.slug} offers: {offered}.")
    return found[0]
