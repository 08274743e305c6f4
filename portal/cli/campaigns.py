"""``flask campaigns``: what guests are shown, drafted, proposed by one person and approved by another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ads import campaigns as service
from ads import explanation, loading
from ads.choice import DRAWS
from ads.explanation import UnknownImpression
from ads.loading import UnreadableCampaigns
from ads.models import Campaign, Election
from auth.audit.actor import Actor, command_line
from auth.denials import Denial
from db.engine import reading
from portal.cli import creatives
from portal.cli.advertising import bill, campaign_figures, link
from portal.cli.operator import operator
from portal.cli.overrides import override
from portal.denials.rendering import page
from portal.i18n.translation import speaking
from portal.services import services, town_zone

campaigns = AppGroup("campaigns", help="Campaigns: the messages that guests accept.")
campaigns.add_command(override)
for command in (campaign_figures, bill, link, creatives.picture, creatives.video, creatives.text_alone):
    campaigns.add_command(command)
by_whom = click.option("--by", default="", help="Your name, for the audit log; without it, who called sudo.")


@campaigns.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@by_whom
def load(file: Path, by: str) -> None:
    """Save the campaigns of a JSON file as drafts: all that are not there yet, or with one fault none.

    The pictures and videos that they name lie beside it.
    """
    with _denials_as_errors():
        document = _read(file)
        with reading(services().make_session) as db:
            known = loading.known_names(db)
        wanted = loading.read(document, known, zone=town_zone(), folder=file.parent)
        with services().make_session.begin() as db:
            loaded = loading.save(db, wanted, actor=_actor(by), now=services().clock())
    for slug in loaded.campaigns:
        click.echo(slug)
    click.echo(
        f"{len(loaded.advertisers)} advertisers, {len(loaded.campaigns)} campaigns and {loaded.creatives} "
        "creatives added. Propose each, and have somebody else approve it.",
        err=True,
    )


@campaigns.command("list")
def list_campaigns() -> None:
    """List the campaigns: name, state, category, first and last instant, goal, advertiser."""
    now = services().clock()
    with reading(services().make_session) as db:
        found = service.every(db)
        for one in found:
            click.echo(
                f"{one.slug}\t{service.state_at(one, now)}\t{one.category}\t{_term(one)}\t"
                f"{one.goal or '-'}\t{one.advertiser.name}"
            )
    click.echo(f"{len(found)} campaign{'' if len(found) == 1 else 's'}.", err=True)


@campaigns.command("show")
@click.argument("slug")
def show(slug: str) -> None:
    """Show one campaign with all that bounds it, and its messages."""
    now = services().clock()
    with _denials_as_errors(), reading(services().make_session) as db:
        one = service.by_slug(db, slug)
        facts = {
            "name": one.name,
            "state": service.state_at(one, now),
            "advertiser": f"{one.advertiser.name} ({one.advertiser.identity or 'no identity on record'})",
            "category": one.category,
            "conditions": one.conditions,
            "term": _term(one),
            "hours": one.hours,
            "networks": " ".join(one.networks),
            "sites": " ".join(one.sites),
            "kinds of sites": " ".join(one.site_kinds),
            "languages": " ".join(one.languages),
            "weight": one.weight,
            "goal": one.goal,
            "most a day": one.daily_cap,
            "most in all": one.total_cap,
            "cents per thousand": one.price_cents,
            "written by": one.authored_by,
            "proposed by": one.proposed_by or "",
            "approved by": one.approved_by,
        }
        for name, value in facts.items():
            if value not in (None, ""):
                click.echo(f"{name}\t{value}")
        for creative in one.creatives:
            titles = " / ".join(f"{code}: {words['title']}" for code, words in creative.texts.items())
            click.echo(f"message\t{creative.slug}\t{creative.kind}\t{titles}")


@campaigns.command("propose")
@click.argument("slug")
@by_whom
def propose(slug: str, by: str) -> None:
    """Hand a draft in: somebody else approves it."""
    _change(service.propose, slug, by)


@campaigns.command("approve")
@click.argument("slug")
@by_whom
def approve(slug: str, by: str) -> None:
    """Let a campaign run that somebody else has proposed."""

    def approving(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
        return service.approve(db, slug, actor=actor, zone=town_zone(), now=now)

    _change(approving, slug, by)


@campaigns.command("pause")
@click.argument("slug")
@by_whom
def pause(slug: str, by: str) -> None:
    """Show a campaign no more, until it is resumed: within seconds, everywhere."""
    _change(service.pause, slug, by)


@campaigns.command("resume")
@click.argument("slug")
@by_whom
def resume(slug: str, by: str) -> None:
    """Show a paused campaign again."""
    _change(service.resume, slug, by)


@campaigns.command("stop")
@click.argument("slug")
@by_whom
def stop(slug: str, by: str) -> None:
    """Show a campaign never again: within seconds, everywhere."""
    _change(service.stop, slug, by)


@campaigns.command("duplicate")
@click.argument("slug")
@click.argument("new_slug")
@by_whom
def duplicate(slug: str, new_slug: str, by: str) -> None:
    """Draft a campaign that says the same at the same places, without dates."""

    def copying(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
        return service.duplicate(db, slug, new_slug, actor=actor, now=now)

    _change(copying, slug, by)


@campaigns.command("election")
@click.argument("name")
@click.argument("first_round", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("last_round", type=click.DateTime(["%Y-%m-%d"]))
@by_whom
def election(name: str, first_round: datetime, last_round: datetime, by: str) -> None:
    """Write an election down: what it bounds is not shown in the six months before, nor until its last round."""
    row = Election(name=name, first_round=first_round.date(), last_round=last_round.date())
    try:
        with services().make_session.begin() as db:
            service.note_election(db, row, actor=_actor(by), now=services().clock())
            period = service.quiet_periods(db, town_zone())
    except IntegrityError as error:
        raise click.ClickException(
            "Nothing was written: the last round is before the first, or an election on that day is there."
        ) from error
    for one in period:
        click.echo(f"{one.election}\t{one.since:%Y-%m-%d} to {one.until:%Y-%m-%d}")


# A nonce may begin with a hyphen.
@campaigns.command("explain", context_settings={"ignore_unknown_options": True})
@click.argument("nonce")
def explain(nonce: str) -> None:
    """Say why a message was shown: the candidates then, their shares, and the number drawn."""
    try:
        with reading(services().make_session) as db:
            found = explanation.explain(db, nonce)
    except UnknownImpression as error:
        raise click.ClickException("The ledger has no such impression, or has it no more.") from error
    row, moment = found.impression, found.moment
    click.echo(f"shown\t{moment.now:%Y-%m-%dT%H:%M:%SZ}\t{moment.network}\t{moment.site}\t{moment.language}")
    if found.options is None:
        raise click.ClickException("What it was chosen from is not kept (any more).")
    for one in found.options.shares:
        mark = "\tshown" if one.creative_id == row.creative_id else ""
        last = "\tshown the time before" if one.creative_id == moment.previous else ""
        click.echo(
            f"candidate\t{found.names.get(one.creative_id, one.creative_id)}\t{one.share:.2%}{last}{mark}"
        )
    click.echo(f"drawn\t{row.draw} of {DRAWS}\tfrom {row.choice_digest}")
    if not found.agrees:
        raise click.ClickException(
            "The same choice comes out differently today: the site's record has changed."
        )
    click.echo("The same choice comes of it again.")


def _change(change: Callable[..., Campaign], slug: str, by: str) -> None:
    with _denials_as_errors(), services().make_session.begin() as db:
        now = services().clock()
        campaign = change(db, slug, actor=_actor(by), now=now)
        click.echo(f"{campaign.slug}\t{service.state_at(campaign, now)}")


def _actor(by: str) -> Actor:
    return command_line(by) if by.strip() else operator()


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise click.ClickException(f"{file} is no JSON: {error}") from error


def _term(campaign: Campaign) -> str:
    return " to ".join(
        at.astimezone(town_zone()).strftime("%Y-%m-%dT%H:%M") if at else "-"
        for at in (campaign.starts_at, campaign.ends_at)
    )


@contextmanager
def _denials_as_errors() -> Iterator[None]:
    try:
        yield
    except UnreadableCampaigns as error:
        raise click.ClickException(f"Nothing was saved.\n{error}") from error
    except Denial as error:
        with speaking("en"):
            refusal = page(error.reason, error.facts)
        raise click.ClickException(f"{refusal.title} {refusal.text}") from error
