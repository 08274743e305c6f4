"""``flask vouchers``: day passes, issued, taken back and counted."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from auth.vouchers import codes, issuing, plans, redeeming, totals, voiding
from auth.vouchers.codes import UnreadableCode
from auth.vouchers.errors import Irreplaceable, UnknownPlan, VoucherError
from auth.vouchers.issuing import Order
from auth.vouchers.models import Batch, VoidReason, Voucher
from auth.vouchers.totals import Books
from auth.vouchers.voiding import Chosen
from db.engine import reading
from portal.cli import voucher_plans
from portal.cli.operator import operator
from portal.cli.voucher_sheets import in_words, sheet
from portal.services import services, town_zone
from sessions import vouchers as passes
from sites import opening_hours
from sites.queries import site_by_slug

group = AppGroup("vouchers", help="Day passes.")
group.add_command(sheet)
voucher_plans.add_to(group)

which_passes = click.argument("which", nargs=-1, required=True, metavar="BATCH_MARK_OR_CODE...")
BOOKS = ("printed", "used", "void", "expired", "left")


@group.command("issue")
@click.option("--plan", "slug", default="day", show_default=True, help="See: vouchers plans")
@click.option("--count", default=1, show_default=True)
@click.option("--site", default="", help="The desk's site; its zone decides when the last day ends.")
@click.option("--note", default="")
@click.option("--event", default="", help="What they are for.")
@click.option("--first-day", type=click.DateTime(["%Y-%m-%d"]), help="They can be used from its beginning.")
@click.option("--last-day", type=click.DateTime(["%Y-%m-%d"]), help="They can be used until its end.")
def issue(
    slug: str,
    count: int,
    site: str,
    note: str,
    event: str,
    first_day: datetime | None,
    last_day: datetime | None,
) -> None:
    """Issue passes. Their codes are shown now and never again, each with its mark."""
    service = services()
    with _denials_as_errors(), service.make_session.begin() as db:
        ends_at, starts_at = _end_of(db, last_day, site), _beginning_of(db, first_day, site)
        order = Order(count, site, note, event, ends_at, starts_at)
        plan = plans.by_slug(db, slug)
        issued = issuing.issue(
            db, keys=service.voucher_keys, plan=plan, order=order, actor=operator(), now=service.clock()
        )
    for ticket in issued.tickets:
        click.echo(f"{ticket.mark}\t{codes.show(ticket.code)}")
    click.echo(f"Batch {issued.batch.id}: {_passes(count)}. The codes are shown only now.", err=True)


@group.command("list")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_batches(most: int) -> None:
    """List batches with their books, the newest first."""
    with reading(services().make_session) as db:
        found = issuing.batches(db, most=most)
        books = totals.every_books(db, at=services().clock(), batch_ids=[one.id for one in found])
    for batch in found:
        of = books[batch.id]
        counts = " ".join(f"{name} {getattr(of, name)}" for name in BOOKS)
        state = "suspended" if batch.suspended_at else "open"
        about = " / ".join(filter(None, (batch.event, batch.note)))
        click.echo(
            f"{batch.id}\t{batch.plan.slug}\t{batch.issued_at:%Y-%m-%dT%H:%M:%SZ}\t{batch.issued_by}\t"
            f"{batch.desk_site or '-'}\t{state}\t{counts}\t{about}"
        )
    click.echo(f"{len(found)} batch{'' if len(found) == 1 else 'es'}.", err=True)


@group.command("revoke")
@which_passes
@click.option("--undo", is_flag=True, help="Give back what was revoked within the last minute.")
def revoke(which: tuple[str, ...], undo: bool) -> None:
    """Take passes back, used or not, and end their sessions: a batch by number, or passes by mark or code."""
    service = services()
    now = service.clock()
    with service.make_session.begin() as db:
        chosen = _choose(db, which)
        if undo:
            taken, ended, passing_on = voiding.undo(db, chosen, actor=operator(), now=now), 0, 0
        else:
            passing_on = passes.passing_on(db, chosen, keys=service.voucher_keys, now=now)
            revoked = passes.revoke(db, chosen, keys=service.voucher_keys, actor=operator(), now=now)
            taken, ended = revoked.voucher_ids, revoked.sessions
    click.echo(
        f"Restored {_passes(len(taken))}."
        if undo
        else f"Revoked {_passes(len(taken))}, ended {ended} session{'' if ended == 1 else 's'}."
    )
    if passing_on:
        click.echo(
            f"{passing_on} of them pass on until their end: their gateway cannot take access back.", err=True
        )


@group.command("void")
@which_passes
@click.option(
    "--reason",
    type=click.Choice([one.value for one in (VoidReason.SPOILED, VoidReason.LOST, VoidReason.UNUSED)]),
    default=VoidReason.UNUSED.value,
    show_default=True,
)
def void(which: tuple[str, ...], reason: str) -> None:
    """Write off passes that nobody has used."""
    service = services()
    with service.make_session.begin() as db:
        chosen, why = _choose(db, which), VoidReason(reason)
        taken = voiding.void(db, chosen, reason=why, actor=operator(), now=service.clock())
    click.echo(f"Wrote off {_passes(len(taken))}.")


@group.command("replace")
@click.argument("mark")
def replace(mark: str) -> None:
    """Replace a lost or spoiled ticket: the old pass dies, the new one has what was left of it."""
    service = services()
    with _denials_as_errors(), service.make_session.begin() as db:
        voucher = redeeming.find_by_mark(db, mark)
        if voucher is None:
            raise click.ClickException(f"No pass has the mark {mark!r}. It is like 12-7.")
        ticket = passes.replace(
            db, keys=service.voucher_keys, voucher_id=voucher.id, actor=operator(), now=service.clock()
        )
    click.echo(f"{ticket.mark}\t{codes.show(ticket.code)}")


@group.command("suspend")
@click.argument("batch", type=int)
def suspend(batch: int) -> None:
    """Let nobody more in with passes of this batch. Who is online stays so."""
    _set_suspended(batch, on=True)


@group.command("resume")
@click.argument("batch", type=int)
def resume(batch: int) -> None:
    """End the suspension of a batch."""
    _set_suspended(batch, on=False)


@group.command("books")
@click.argument("batch", type=int, required=False)
def books(batch: int | None) -> None:
    """The books as CSV: every batch as it stands now, or one batch at the end of each of its days."""
    now = services().clock()
    with reading(services().make_session) as db:
        if batch is None:
            rows: list[tuple[object, Books]] = [*sorted(totals.every_books(db, at=now).items())]
        else:
            rows = [*totals.daily_books(db, batch, zone=town_zone(), now=now).items()]
    if batch is not None and not rows:
        raise click.ClickException(f"There is no batch {batch}. See: flask --app wsgi vouchers list")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["batch" if batch is None else "day", *BOOKS])
    for key, of in rows:
        writer.writerow([key, *(getattr(of, name) for name in BOOKS)])


@contextmanager
def _denials_as_errors() -> Iterator[None]:
    """Refusals in the operator's words."""
    try:
        yield
    except Irreplaceable as error:
        raise click.ClickException("This pass is void or over: there is nothing left to replace.") from error
    except (UnknownPlan, VoucherError) as error:
        raise click.ClickException(f"Nothing was issued. {in_words(error)}") from error


def _end_of(db: Session, day: datetime | None, site: str) -> datetime | None:
    """The end of a local day, by the clocks of the site; without one by the town's."""
    found = site_by_slug(db, site) if site else None
    if site and found is None:
        raise click.ClickException(f"There is no site {site!r}. See: flask --app wsgi sites list")
    if day is None:
        return None
    zone = found.tzinfo if found else town_zone()
    try:
        return opening_hours.next_midnight(day.replace(tzinfo=zone) + timedelta(hours=12), zone)
    except OverflowError as error:
        raise click.ClickException("Nothing was issued. --last-day is beyond the calendar.") from error


def _beginning_of(db: Session, day: datetime | None, site: str) -> datetime | None:
    """The beginning of a local day, by the clocks of the site; without one by the town's."""
    found = site_by_slug(db, site) if site else None
    if day is None:
        return None
    try:
        return opening_hours.midnight_of(day.date(), found.tzinfo if found else town_zone())
    except OverflowError as error:
        raise click.ClickException("Nothing was issued. --first-day is beyond the calendar.") from error


def _choose(db: Session, words: Iterable[str]) -> Chosen:
    """The passes that `words` name: batches by their numbers, passes by mark or code."""
    batch_ids: set[int] = set()
    voucher_ids: set[int] = set()
    for word in words:
        if word.isdecimal() and len(word) < 9 and db.get(Batch, int(word)) is not None:
            batch_ids.add(int(word))
        else:
            voucher_ids.add(_find(db, word).id)
    return Chosen(frozenset(batch_ids), frozenset(voucher_ids))


def _find(db: Session, word: str) -> Voucher:
    voucher = redeeming.find_by_mark(db, word)
    if voucher is None:
        try:
            voucher = redeeming.find(db, keys=services().voucher_keys, code=codes.read(word))
        except UnreadableCode:
            voucher = None
    if voucher is None:
        raise click.ClickException(
            f"{word!r} is no batch's number, and no mark (like 12-7) or code of a pass. "
            "See: flask --app wsgi vouchers list"
        )
    return voucher


def _set_suspended(batch: int, *, on: bool) -> None:
    service = services()
    with service.make_session.begin() as db:
        if db.get(Batch, batch) is None:
            raise click.ClickException(f"There is no batch {batch}. See: flask --app wsgi vouchers list")
        change = voiding.suspend if on else voiding.resume
        changed = change(db, batch, actor=operator(), now=service.clock())
    click.echo(f"Batch {batch} is {'suspended' if on else 'open'}{'' if changed else ', as it was'}.")


def _passes(count: int) -> str:
    return f"{count} pass{'' if count == 1 else 'es'}"
