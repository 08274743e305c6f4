"""``flask campaigns override``: a crisis message in the place of all others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from ads import overrides as service
from auth.audit.actor import command_line
from auth.denials import Denial
from db.engine import reading
from portal.cli.operator import operator
from portal.denials.rendering import page
from portal.i18n.translation import speaking
from portal.services import services, town_zone
from sites import queries

override = AppGroup("override", help="A crisis message in the place of all others; access without waiting.")
by_whom = click.option("--by", default="", help="Your name, for the audit log; without it, who called sudo.")


@override.command("start")
@click.option("--title", "titles", multiple=True, required=True, metavar="LANGUAGE=TITLE")
@click.option("--text", "texts", multiple=True, required=True, metavar="LANGUAGE=TEXT")
@click.option("--site", "sites", multiple=True, help="Where; none given: everywhere.")
@click.option(
    "--hours", type=click.FloatRange(0, min_open=True), required=True, help="When it ends by itself."
)
@by_whom
def start(
    titles: tuple[str, ...], texts: tuple[str, ...], sites: tuple[str, ...], hours: float, by: str
) -> None:
    """Show a crisis message now, within seconds everywhere; who is online stays online."""
    by_language = {"title": _by_language(titles, "--title"), "text": _by_language(texts, "--text")}
    if by_language["title"].keys() != by_language["text"].keys():
        raise click.UsageError("Each language needs its --title and its --text.")
    words = {
        code: {"title": title, "text": by_language["text"][code]}
        for code, title in by_language["title"].items()
    }
    now = services().clock()
    try:
        with services().make_session.begin() as db:
            _demand_sites(db, sites)
            begun = service.start(
                db,
                words,
                sites=sites,
                ends_at=now + timedelta(hours=min(hours, 10_000)),
                actor=command_line(by) if by.strip() else operator(),
                now=now,
            )
            number, ends = begun.id, begun.ends_at.astimezone(town_zone())
            carried = service.carry_on(db, now=now)
    except Denial as error:
        raise _in_words(error) from error
    click.echo(f"{number}\tuntil {ends:%Y-%m-%d %H:%M}\t{carried} sessions extended")


@override.command("stop")
@click.argument("number", type=int)
@by_whom
def stop(number: int, by: str) -> None:
    """Stop a crisis message before its end. Sessions end as they do otherwise."""
    try:
        with services().make_session.begin() as db:
            actor = command_line(by) if by.strip() else operator()
            service.stop(db, number, actor=actor, now=services().clock())
    except Denial as error:
        raise _in_words(error) from error
    click.echo(f"{number}\tstopped")


@override.command("list")
def list_overrides() -> None:
    """List the crisis messages that are shown: number, end, where, who started it, titles."""
    with reading(services().make_session) as db:
        for one in service.standing(db, now=services().clock()):
            titles = " / ".join(f"{code}: {words['title']}" for code, words in one.texts.items())
            ends = one.ends_at.astimezone(town_zone())
            where = " ".join(one.sites) or "everywhere"
            click.echo(f"{one.id}\tuntil {ends:%Y-%m-%d %H:%M}\t{where}\t{one.started_by}\t{titles}")


def _by_language(given: Iterable[str], option: str) -> dict[str, str]:
    found = dict(one.partition("=")[::2] for one in given)
    if not all(len(code) == 2 and words.strip() for code, words in found.items()):
        raise click.UsageError(f"{option} is LANGUAGE=WORDS, such as: {option} fr=…")
    return found


def _demand_sites(db: Session, slugs: Iterable[str]) -> None:
    unknown = sorted(set(slugs) - set(queries.site_names(db)))
    if unknown:
        raise click.ClickException(f"No such site: {', '.join(unknown)}. See: flask --app wsgi sites list")


def _in_words(error: Denial) -> click.ClickException:
    with speaking("en"):
        refusal = page(error.reason, error.facts)
    return click.ClickException(f"{refusal.title} {refusal.text}")
