"""``flask retention``: the terms, and the purge that carries them out."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from auth.audit.actor import command_line
from db.disk_reserve import is_full, is_read_only
from db.engine import reading
from portal import retention as keeping
from portal.services import services
from sessions.data_classes import DataClass
from sessions.retention import periods
from sessions.retention import purge as runs
from sessions.retention.errors import BelowLaw, OpenChange, SamePerson, UnreadableTerm
from sessions.retention.law import Term
from sessions.retention.models import PurgeRefusal, TermChange, TermUnit
from sessions.retention.purge import Phase, Stepped

retention = AppGroup("retention", help="How long what is remembered is kept.")


@retention.command("list")
@click.option("--all", "everything", is_flag=True, help="Lines that held before, too.")
def list_terms(everything: bool) -> None:
    """List the terms: class, term, what starts it, since when it holds, basis."""
    with reading(services().make_session) as db:
        rules = periods.current(db) + (periods.former(db) if everything else [])
    for rule in rules:
        ended = f" to {rule.valid_to:%Y-%m-%d}" if rule.valid_to else ""
        click.echo(
            f"{rule.data_class}\t{rule.term} {rule.unit}\t{rule.starts_at}\t"
            f"from {rule.valid_from:%Y-%m-%d}{ended}\t{rule.basis}"
        )


@retention.command("set")
@click.argument("data_class", type=click.Choice([one.value for one in DataClass]))
@click.argument("amount", type=click.IntRange(1))
@click.argument("unit", type=click.Choice([one.value for one in TermUnit]))
@click.option("--basis", required=True, help="The text of law that says so.")
@click.option("--by", required=True, help="Your name, for the audit log.")
def set_term(data_class: str, amount: int, unit: str, basis: str, by: str) -> None:
    """Change the term of a class. The line before is closed, and kept.

    A shorter one waits: somebody who answers for data protection confirms it on the page of terms, and it holds a week
    later.
    """
    service = services()
    with service.make_session.begin() as db:
        periods.seed(db, now=service.clock())
        db.flush()
        rule = next(one for one in periods.current(db) if one.data_class == data_class)
        try:
            changed = periods.change(
                db,
                rule.id,
                term=Term(amount, TermUnit(unit)),
                basis=basis,
                actor=command_line(by),
                now=service.clock(),
            )
        except UnreadableTerm as error:
            raise click.ClickException("A term is 1 day to 10 years, and its basis is said.") from error
        except BelowLaw as error:
            raise click.ClickException(_below(error)) from error
        except OpenChange as error:
            raise click.ClickException(
                "A shorter term of this class waits already: withdraw it first."
            ) from error
    holds = not isinstance(changed, TermChange)
    waits = "" if holds else " It waits: a second person confirms it on the page of terms, and a week passes."
    click.echo(f"{data_class}: {amount} {unit}.{waits}")


@retention.command("purge")
@click.option("--confirm", is_flag=True, help="You have seen what would go, and the clock, and it is right.")
@click.option("--by", help="Your name, for the audit log; needed with --confirm.")
def purge(confirm: bool, by: str | None) -> None:
    """Delete what is past its term, now. The sweep does it by itself twice a day."""
    if confirm and not (by or "").strip():
        raise click.UsageError("--confirm needs --by NAME: a person answers for it.")
    person = command_line(by or "") if confirm else None
    try:
        *_, last = keeping.purging(services(), at_once=True, confirmed_by=person)
    except DBAPIError as error:
        raise click.ClickException(_why_not(error)) from error
    except SamePerson as error:
        raise click.ClickException("Whoever shortened a term does not confirm the purge as well.") from error
    if last.phase is Phase.REFUSED:
        raise click.ClickException(_refusal(last))
    _report(last)


def _below(error: BelowLaw) -> str:
    least = error.floor.term
    return f"The law asks for {least.amount} {least.unit} at least: {error.floor.source}." if least else ""


def _report(last: Stepped) -> None:
    if last.run is None:
        return
    with reading(services().make_session) as db:
        books = runs.counts(db, last.run)
    for one in books:
        click.echo(
            f"{one.table}\tdue {one.due}\tdeleted {one.deleted}\theld {one.held}\tleft {one.left}\tof {one.total}"
        )
    if last.run.adds_up is False:
        raise click.ClickException("The books of this purge do not add up. See the audit log.")


def _refusal(last: Stepped) -> str:
    run = last.run
    if run is None or run.refused is PurgeRefusal.CLOCK:
        now = services().clock()
        return (
            f"Nothing was deleted. The clock says {now:%Y-%m-%d %H:%M} UTC, long after it was last believed. Set it "
            "right; or, if it is, confirm: flask --app wsgi retention purge --confirm --by NAME"
        )
    much = ", ".join(f"{table}: {many}" for table, many in run.detail.items())
    return (
        f"Nothing was deleted. More would go than ever does ({much}). If that is right: "
        "flask --app wsgi retention purge --confirm --by NAME"
    )


def _why_not(error: DBAPIError) -> str:
    if is_full(error):
        return "The disk is full, and the reserve beside the database is used up. Make room, and purge again."
    if is_read_only(error):
        return "The database cannot be written to: its file system is read-only, or not ours. Nothing was purged."
    return f"The database refused: {type(error).__name__}. Nothing more was purged; run it again."
