"""``flask report``: what the network was used for, and the figures behind it."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path

import click
from flask import g
from flask.cli import AppGroup

from auth.audit.actions import REPORT_MADE, ObjectKind
from auth.staff.roles import ALL_NETWORKS, Authority
from db.engine import reading
from portal import statistics
from portal.cli.operator import operator
from portal.i18n.translation import whole_languages
from portal.printing.typesetter import FailedPrinting, RendererBusy
from portal.reports import making
from portal.reports.making import ReportFormat
from portal.services import Services, services
from sessions.access_audit import looked
from sessions.statistics import building, signed
from sessions.statistics.building import MissingRows
from sessions.statistics.months import DestroyedSalt
from sessions.statistics.periods import Period, UnreadablePeriod
from sites import queries

report = AppGroup("report", help="What the network was used for.")
DAY = click.DateTime(["%Y-%m-%d"])


@report.command("usage")
@click.option("--from", "first", type=DAY, required=True, help="The first day, as 2026-10-01.")
@click.option("--to", "last", type=DAY, required=True, help="The last day; it is part of the period.")
@click.option("--network", "networks", multiple=True, help="A network's slug; none given: all networks.")
@click.option("--language", help="One of those that staff pages speak; none given: the town's own.")
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in ReportFormat]),
    default="text",
    show_default=True,
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, or - for none."
)
def usage(
    first: datetime,
    last: datetime,
    networks: tuple[str, ...],
    language: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Write the usage report of a period."""
    service, period = services(), _period(first, last)
    g.language = _language(language)
    _check_networks(service, networks)
    found = making.load(service, period, frozenset(networks))
    try:
        content = making.write(service, found, ReportFormat(form), frozenset(networks))
    except (RendererBusy, FailedPrinting) as error:
        raise click.ClickException(f"It could not be printed: {error}") from error
    with service.make_session.begin() as db:
        detail = {"from": str(period.first), "to": str(period.last), "form": form, "networks": list(networks)}
        looked(
            db,
            REPORT_MADE,
            ObjectKind.REPORT,
            actor=operator(),
            network=networks[0] if len(networks) == 1 else None,
            detail=detail,
            now=service.clock(),
        )
    _hand_over(content, output)


@report.command("make")
def make() -> None:
    """Make the figures of all days that are due, without waiting for the sweep."""
    made = 0
    while statistics.make_next(services()) is not None:
        made += 1
    click.echo(f"Made the figures of {made} day{'' if made == 1 else 's'}.")


@report.command("rebuild")
@click.option("--from", "first", type=DAY, required=True, help="The first day, as 2026-10-01.")
@click.option("--to", "last", type=DAY, required=True, help="The last day; it is part of the period.")
@click.option("--without-devices", is_flag=True, help="Leave unique devices as they were counted.")
def rebuild(first: datetime, last: datetime, without_devices: bool) -> None:
    """Make the figures of days again from the log, and say whether they are the same, byte for byte."""
    service, period = services(), _period(first, last)
    made = _made_days(service, period)
    different = 0
    for day in made:
        try:
            proof = statistics.rebuild(service, day, devices=not without_devices)
        except DestroyedSalt as error:
            raise click.ClickException(
                f"{day}: the devices of {error.month:%Y-%m} cannot be counted again: its key was destroyed on "
                f"{error.destroyed_at:%Y-%m-%d}, so that nobody can be found in them. Use --without-devices."
            ) from error
        except MissingRows as error:
            raise click.ClickException(
                f"{day}: rows of the log behind these figures have been erased. The figures stay as they are."
            ) from error
        different += not proof.is_same
        click.echo(f"{day}\t{'the same' if proof.is_same else 'DIFFERENT'}")
    click.echo(f"{len(made)} days, {different} different.", err=True)
    if different:
        sys.exit(1)


@report.command("verify")
def verify() -> None:
    """Check every report that was signed off: its numbers, its statement, its signature."""
    service, bad = services(), 0
    with reading(service.make_session) as db:
        versions = signed.versions(db, Authority(frozenset(), ALL_NETWORKS))
        for version in versions:
            is_good = signed.is_unchanged(version, service.signer)
            bad += not is_good
            click.echo(
                f"{version.id}\t{version.first}\t{version.last}\t{version.signed_by}\t"
                f"{'as signed' if is_good else 'ALTERED'}"
            )
    click.echo(f"{len(versions)} signed, {bad} altered.", err=True)
    if bad:
        sys.exit(1)


def _period(first: datetime, last: datetime) -> Period:
    try:
        return Period(first.date(), last.date())
    except UnreadablePeriod as error:
        raise click.ClickException(
            "The period ends before it begins, or is longer than three years."
        ) from error


def _language(given: str | None) -> str:
    spoken = whole_languages()
    if given not in (None, *spoken):
        raise click.BadParameter(f"{given!r} is none of {', '.join(spoken)}.", param_hint="--language")
    return given or spoken[0]


def _check_networks(service: Services, networks: tuple[str, ...]) -> None:
    with reading(service.make_session) as db:
        known = sorted(one.slug for one in queries.networks(db))
    if unknown := set(networks) - set(known):
        raise click.ClickException(f"There is no network {min(unknown)!r}. There are: {', '.join(known)}.")


def _made_days(service: Services, period: Period) -> list[date]:
    with reading(service.make_session) as db:
        return building.made_days(db, first=period.first, last=period.last)


def _hand_over(content: bytes, output: Path | None) -> None:
    if output is None or str(output) == "-":
        click.echo(content, nl=False)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
