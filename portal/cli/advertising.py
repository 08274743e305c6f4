"""``flask campaigns figures``, ``bill`` and ``link``: what an advertiser is told, and what it owes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path

import click
from flask import g
from flask.cli import with_appcontext

from ads import campaigns
from ads.ledger import bills, figures, links
from ads.ledger.models import Bill
from auth.audit.actor import Actor, command_line
from auth.denials import Denial
from db.engine import reading
from portal.cli.operator import operator
from portal.denials.rendering import page
from portal.i18n.translation import speaking, whole_languages
from portal.printing.typesetter import typeset_report
from portal.reports import campaign_figures as written
from portal.reports import plain
from portal.reports.document import Document
from portal.services import services, town_zone

FILE = click.Path(dir_okay=False, path_type=Path)
as_csv = click.option("--csv", "csv_file", type=FILE, help="A file for the table with its definitions.")
as_pdf = click.option("--pdf", "pdf_file", type=FILE, help="A file to print.")
by_whom = click.option("--by", default="", help="Your name, for the audit log; without it, who called sudo.")


class Refusals(click.Command):
    """A command that says a denial in words."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Denial as error:
            with speaking("en"):
                refusal = page(error.reason, error.facts)
            raise click.ClickException(f"{refusal.title} {refusal.text}") from error


@click.command("figures", cls=Refusals)
@click.argument("slug")
@as_csv
@as_pdf
@with_appcontext
def campaign_figures(slug: str, csv_file: Path | None, pdf_file: Path | None) -> None:
    """Show what was served, viewed and accepted of a campaign, up to this minute."""
    service, now = services(), services().clock()
    g.language = whole_languages()[0]
    with reading(service.make_session) as db:
        campaign = campaigns.by_slug(db, slug)
        payer, found = campaign.advertiser.name, [figures.load(db, campaign, now=now)]
    document = written.document(service.settings.town, payer, found, today=now.astimezone(town_zone()).date())
    _hand_over(document, written.table(found), csv_file=csv_file, pdf_file=pdf_file)
    for reason, many in sorted(found[0].whole.failures.items()):
        click.echo(f"not confirmed\t{reason}\t{many}", err=True)


@click.command("bill", cls=Refusals)
@click.argument("advertiser")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option(
    "--check", is_flag=True, help="Make its lines again from the ledger, and say whether they are the same."
)
@as_csv
@as_pdf
@by_whom
@with_appcontext
def bill(
    advertiser: str, month: datetime, check: bool, csv_file: Path | None, pdf_file: Path | None, by: str
) -> None:
    """Issue the bill of a month, as 2026-11; what was issued before is given again as it is."""
    service, now, zone = services(), services().clock(), town_zone()
    g.language = whole_languages()[0]
    with service.make_session.begin() as db:
        payer = links.advertiser(db, advertiser)
        issued = bills.issue(db, payer, month.date(), actor=_actor(by), zone=zone, now=now)
        rebuilt = bills.rebuilt(db, issued) if check else []
    settings = service.settings
    on: date = issued.issued_at.astimezone(zone).date()
    document = written.bill_document(settings.town, settings.contact, issued, on)
    _hand_over(document, written.bill_table(issued), csv_file=csv_file, pdf_file=pdf_file)
    if check:
        _say_whether_the_same(issued, rebuilt)


@click.command("link", cls=Refusals)
@click.argument("advertiser")
@click.option(
    "--days",
    type=click.IntRange(1, links.LONGEST_LIFE.days),
    default=30,
    show_default=True,
    help="How long it is good.",
)
@click.option("--revoke", is_flag=True, help="Revoke all links of this advertiser that are good now.")
@by_whom
@with_appcontext
def link(advertiser: str, days: int, revoke: bool, by: str) -> None:
    """Make an address under which an advertiser reads its own figures; it is shown once."""
    service, now = services(), services().clock()
    with service.make_session.begin() as db:
        if revoke:
            many = links.revoke(db, advertiser, actor=_actor(by), now=now)
            click.echo(f"{many} link{'' if many == 1 else 's'} revoked.")
            return
        secret, made = links.make(db, advertiser, life=timedelta(days=days), actor=_actor(by), now=now)
    click.echo(f"{service.settings.portal_url}/figures/{secret}")
    click.echo(f"Good until {made.expires_at:%Y-%m-%d}. The address is shown only now.", err=True)


def _actor(by: str) -> Actor:
    return command_line(by) if by.strip() else operator()


def _say_whether_the_same(issued: Bill, rebuilt: list[bills.BillLine]) -> None:
    if rebuilt != bills.lines_of(issued):
        raise click.ClickException(
            f"The ledger has {sum(line.accepted for line in rebuilt)} of the messages of bill {issued.name}: "
            "its rows are erased by their term, or lost. The bill stays as it is."
        )
    click.echo("Made again from the ledger, it is the same to the cent.", err=True)


def _hand_over(document: Document, table: bytes, *, csv_file: Path | None, pdf_file: Path | None) -> None:
    if csv_file is None and pdf_file is None:
        click.echo(plain.write(document), nl=False)
    try:
        if csv_file is not None:
            csv_file.write_bytes(table)
        if pdf_file is not None:
            pdf_file.write_bytes(typeset_report(asdict(document)))
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be written: {error.strerror}.") from error
