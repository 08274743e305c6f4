"""``flask sites``: networks, hotspot sites and gateway records, in and out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup

from ads.demo import load_announcements, read_announcements
from ads.loading import known_names
from auth.fixed_devices.demo import load_devices
from db.engine import reading
from portal.cli.operator import operator
from portal.cli.pictures import alt_option, alt_texts, prepare_file, refusals_as_errors, remove_option
from portal.cli.posters import poster
from portal.records.registry import KINDS, cautions_of, kind_here
from portal.services import services
from sessions.consequences import WouldDisconnect, carry_out
from sites import pictures
from sites.demo.schools import load_schools
from sites.demo.town import load_demo
from sites.directory import Hotspot, hotspots
from sites.errors import RefusedImport
from sites.holidays import last_school_holiday
from sites.images.shapes import PHOTOGRAPH
from sites.import_export import FileFormat, ImportResult, export_records
from sites.queries import site_by_slug

sites = AppGroup("sites", help="Networks, hotspot sites, gateway records.")

sites.add_command(poster)

which_records = click.option(
    "--records",
    type=click.Choice(list(KINDS)),
    default="sites",
    show_default=True,
    help="What the rows are.",
)


@sites.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@which_records
@click.option("--disconnect", is_flag=True, help="Disconnect whoever the records leave no place for.")
def import_file(file: Path, records: str, disconnect: bool) -> None:
    """Import a CSV or GeoJSON file: all of it, or with one bad row nothing."""
    try:
        with services().make_session.begin() as db:
            kind, content = kind_here(KINDS[records]), file.read_bytes()
            now = services().clock()
            imported = carry_out(db, kind, content, actor=operator(), now=now, agreed=disconnect)
            cautions = cautions_of(db, KINDS[records], [*imported.created, *imported.changed])
    except RefusedImport as error:
        raise click.ClickException(f"Nothing was imported.\n{error}") from error
    except WouldDisconnect as error:
        told = f"It would disconnect {error.count} device{'' if error.count == 1 else 's'}: say so by --disconnect."
        raise click.ClickException(f"Nothing was imported.\n{told}") from error
    click.echo(_summary(records, imported))
    for key, text in cautions:
        click.echo(f"{key}: {text}", err=True)
    for identity, credential in imported.credentials.items():
        click.echo(f"{identity}\t{credential}")
    if imported.credentials:
        click.echo("These are the new gateways' credentials. They are shown only now.", err=True)


@sites.command("export")
@which_records
@click.option(
    "--form", type=click.Choice([form.value for form in FileFormat]), default="csv", show_default=True
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else the standard output."
)
def export_file(records: str, form: str, output: Path | None) -> None:
    """Export records as CSV (or CSV for Excel), or sites as GeoJSON."""
    if form == FileFormat.GEOJSON and records != "sites":
        raise click.UsageError(
            "Only sites have a place on the map: --form geojson goes with --records sites."
        )
    with reading(services().make_session) as db:
        content = export_records(db, KINDS[records].kind.records, FileFormat(form))
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        click.echo(f"Written to {output}.", err=True)


@sites.command("list")
def list_public() -> None:
    """List the sites that the public sees, with their state now."""
    with reading(services().make_session) as db:
        found = hotspots(db, now=services().clock())
    for spot in found:
        networks = " ".join(network.slug for network in spot.networks)
        click.echo(f"{spot.slug}\t{spot.kind}\t{spot.state}\t{networks}\t{spot.name}")
    click.echo(f"{len(found)} site{'' if len(found) == 1 else 's'}.", err=True)
    _warn_of_school_holidays(found)


def _warn_of_school_holidays(found: Sequence[Hotspot]) -> None:
    """Where a site keeps to them, and the list that came with us ends soon."""
    last = last_school_holiday()
    if any(spot.school_zone for spot in found) and services().clock().date() > last - timedelta(days=180):
        click.echo(
            f"School holidays are known up to {last} only: update vacances-scolaires-france.", err=True
        )


@sites.command("photo")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@alt_option
@remove_option
def photo(slug: str, file: Path | None, alt: tuple[tuple[str, str], ...], remove: bool) -> None:
    """Give the site SLUG the photograph in FILE, a JPEG, PNG or WebP."""
    prepared = prepare_file(file, PHOTOGRAPH, remove=remove)
    with services().make_session.begin() as db:
        site = site_by_slug(db, slug)
        if site is None:
            raise click.ClickException(f"There is no site {slug!r}.")
        if prepared is None:
            pictures.remove_photograph(db, site)
        else:
            with refusals_as_errors():
                pictures.set_photograph(db, site, prepared, alt=alt_texts(alt))
    click.echo(f"{slug} has no photograph any more." if prepared is None else f"{slug} has its photograph.")


@sites.command("demo")
def demo() -> None:
    """Add the demo town: the networks and sites of Besançon, its schools, fixed devices and announcements."""
    now = services().clock()
    with services().make_session.begin() as db:
        made = load_demo(db, now=now, by=operator().name)
        known = known_names(db)
        schools = load_schools(db, now=now, by=operator().name)
        devices = load_devices(db, now=now, by=operator().name)
    wanted = read_announcements(known)
    with services().make_session.begin() as db:
        announcements = load_announcements(db, now=now, actor=operator(), wanted=wanted)
    click.echo(_summary("networks", made.networks))
    click.echo(_summary("sites", made.sites))
    click.echo(f"announcements: {announcements} added")
    click.echo(_summary("devices", devices))
    for name, imported in schools.items():
        click.echo(_summary(name.replace("_", " "), imported))


def _summary(records: str, imported: ImportResult) -> str:
    return (
        f"{records}: {len(imported.created)} added, {len(imported.changed)} changed, "
        f"{len(imported.unchanged)} as they were"
    )
