"""``flask vouchers sheet``: passes issued and printed in one step, since a code is shown only once."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from auth.vouchers import issuing, plans
from auth.vouchers.errors import EndedPlan, ImpossibleCount, ImprudentBatch, UnknownPlan
from auth.vouchers.issuing import IssuedBatch, Order
from portal.cli.operator import operator
from portal.printing.from_networks import logo_of
from portal.printing.from_vouchers import slips
from portal.printing.papers import Paper, UnfitPaper
from portal.printing.receipts import print_escpos
from portal.printing.sheets import print_pdf
from portal.printing.tickets import MOST_VOUCHERS, PrintedVoucher, UnprintableVoucher
from portal.printing.typesetter import FailedPrinting, RendererBusy
from portal.services import services
from sites.models import Network, SigninMethod, Site
from sites.queries import site_by_slug

ESCPOS = "escpos"


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """How it is printed: on a `Paper`, by its value, or as ``escpos`` bytes."""

    paper: str
    large: bool = False
    first_free: int = 0
    offset_mm: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Request:
    """What is printed: how many passes, worth what, for where, in which languages."""

    plan: str
    site: str
    network: str | None
    languages: tuple[str, ...]
    order: Order


@click.command("sheet")
@click.argument("count", type=click.IntRange(1, MOST_VOUCHERS))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--plan", default="day", show_default=True, help="What the passes are worth.")
@click.option("--site", required=True, help="Where they are handed out.")
@click.option("--network", help="Needed where the site has several networks that take passes.")
@click.option("--note", default="", help="For the desk; it is printed nowhere.")
@click.option("--event", default="", help="Stands on every ticket, and in the books.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="One of the town's; none given: its first two. May be repeated.",
)
@click.option(
    "--paper",
    type=click.Choice([*(paper.value for paper in Paper), ESCPOS], case_sensitive=False),
    default=Paper.A4.value,
    show_default=True,
)
@click.option("--large", is_flag=True, help="Large print (a4 and receipt).")
@click.option("--first-free", default=0, help="First free place of a begun sheet, from 0.")
@click.option("--offset", type=(float, float), default=(0.0, 0.0), help="Millimetres to the right and down.")
@with_appcontext
def sheet(
    count: int,
    file: Path,
    plan: str,
    site: str,
    network: str | None,
    note: str,
    event: str,
    languages: tuple[str, ...],
    paper: str,
    large: bool,
    first_free: int,
    offset: tuple[float, float],
) -> None:
    """Issue COUNT passes and print them into FILE: a PDF, or the bytes for a receipt printer.

    Nothing is issued where nothing could be printed. FILE is as good as money: delete it when it is printed.
    """
    order = Order(count, desk_site=site, note=note, event=event)
    request = Request(plan, site, network, _languages(languages), order)
    try:
        number = issue_sheet(request, SheetFormat(paper, large, first_free, offset), file)
    except FileExistsError as error:
        raise click.ClickException(f"Nothing was issued. {file} is there already.") from error
    except OSError as error:
        raise click.ClickException(
            f"Nothing was issued. {file} cannot be written: {error.strerror}."
        ) from error
    except (UnknownPlan, EndedPlan, ImpossibleCount, ImprudentBatch, UnfitPaper, UnprintableVoucher) as error:
        raise click.ClickException(f"Nothing was issued. {in_words(error)}") from error
    except (FailedPrinting, RendererBusy) as error:
        raise click.ClickException(f"Nothing was issued. It could not be printed: {error}") from error
    click.echo(f"Batch {number}: {count} passes, printed into {file}.")


def _languages(given: tuple[str, ...]) -> tuple[str, ...]:
    spoken = services().settings.languages
    if unknown := set(given) - set(spoken):
        raise click.BadParameter(f"{min(unknown)!r} is none of {', '.join(spoken)}.", param_hint="--language")
    return tuple(dict.fromkeys(given)) or spoken[:2]


def issue_sheet(request: Request, form: SheetFormat, file: Path) -> int:
    """Issue, print and write, or none of it; the batch's number. Raises what those raise."""
    service = services()
    written = False
    try:
        with service.make_session.begin() as db:
            site, network = _find_place(db, request)
            issued = _issue(db, request, site, network)
            url = service.settings.portal_url
            languages = request.languages
            tickets = slips(
                issued.tickets,
                batch=issued.batch,
                network=network,
                site=site,
                portal_url=url,
                languages=languages,
                logo=logo_of(db, network, languages[0]),
            )
            document = print_tickets(tickets, form)
            _write_new(file, document)
            written = True
            return issued.batch.id
    except BaseException:
        # The passes on it do not exist.
        if written:
            file.unlink()
        raise


def print_tickets(tickets: list[PrintedVoucher], form: SheetFormat) -> bytes:
    """The document in this form. Raises as `print_pdf` does."""
    if form.paper == ESCPOS:
        return print_escpos(tickets)
    paper = Paper(form.paper)
    return print_pdf(
        tickets, paper=paper, offset_mm=form.offset_mm, first_free=form.first_free, large=form.large
    )


def _find_place(db: Session, request: Request) -> tuple[Site, Network]:
    site = site_by_slug(db, request.site)
    if site is None:
        raise click.ClickException(f"There is no site {request.site!r}. See: flask --app wsgi sites list")
    fit = [
        network
        for network in site.networks
        if SigninMethod.PASS in network.signin_methods and request.network in (None, network.slug)
    ]
    if len(fit) != 1:
        names = ", ".join(network.slug for network in fit) or "none"
        raise click.ClickException(f"Say by --network on which one of the site's that take passes: {names}.")
    return site, fit[0]


def _issue(db: Session, request: Request, site: Site, network: Network) -> IssuedBatch:
    service = services()
    plan = plans.by_slug(db, request.plan)
    if not plans.holds(plan, network=network.slug, site=site.slug):
        raise click.ClickException(f"Passes of the plan {plan.slug} do not hold there.")
    order = replace(request.order, network=network.slug)
    return issuing.issue(
        db, keys=service.voucher_keys, plan=plan, order=order, actor=operator(), now=service.clock()
    )


def _write_new(file: Path, document: bytes) -> None:
    """Into a new file that nobody else may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(document)


def in_words(error: Exception) -> str:
    """Why no passes were issued, for the operator."""
    match error:
        case UnknownPlan():
            return f"There is no plan {error.slug!r}. See: flask --app wsgi vouchers plans"
        case EndedPlan():
            return f"Passes of this plan could be used until {error.until:%Y-%m-%d %H:%M} UTC only. Choose a later day."
        case ImpossibleCount():
            return f"A batch has from 1 to {error.most} passes."
        case ImprudentBatch():
            return (
                f"With {error.live} codes alive and {error.count} more among {error.possible:,}, {error.guesses} "
                f"guesses a day would find {error.expected:.4f}; {error.most} are borne."
            )
    return str(error)
