"""``flask tokens``: what programs ask for passes with. Shown once, revoked at once."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from auth.api_tokens import service as api_tokens
from auth.api_tokens.errors import ImpossibleLife, TakenName, UnreadableName
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import LONGEST_LIFE, USUAL_LIFE, Scope
from auth.api_tokens.service import TokenRequest
from auth.staff.errors import StaffError, UnknownNetworks
from auth.staff.roles import networks_of
from db.engine import reading
from portal.cli.operator import operator
from portal.services import services

tokens = AppGroup("tokens", help="Tokens of programs that ask for passes (docs/api.md).")


@tokens.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the program may do; may be given several times.",
)
@click.option("--network", "networks", multiple=True, help="A network's slug; may be given several times.")
@click.option("--all-networks", is_flag=True, help="All of them, those to come included.")
@click.option("--days", default=USUAL_LIFE.days, show_default=True, help="How long it is good.")
def add(name: str, scopes: tuple[str, ...], networks: tuple[str, ...], all_networks: bool, days: int) -> None:
    """Make a token, and show it, once."""
    if all_networks == bool(networks):
        raise click.UsageError("Say which networks: --network SLUG, or --all-networks.")
    service = services()
    life = timedelta(days=min(max(days, 0), 10_000))
    wish = TokenRequest(
        name,
        frozenset(Scope(scope) for scope in scopes),
        networks_of(networks, all_networks=all_networks),
        life,
    )
    try:
        with service.make_session.begin() as db:
            made = api_tokens.make(
                db,
                tokens=service.tokens,
                issuer=service.settings.portal_url,
                wish=wish,
                actor=operator(),
                now=service.clock(),
            )
    except StaffError as error:
        raise click.ClickException(_in_words(error)) from error
    click.echo(made.token)
    click.echo(f"{name} is good until {made.row.expires_at:%Y-%m-%d}. The token is shown only now.", err=True)


@tokens.command("list")
def list_tokens() -> None:
    """List the tokens: name, state, scopes, networks, who made it and when, last use."""
    now = services().clock()
    with reading(services().make_session) as db:
        found = api_tokens.every(db)
    for one in found:
        reach = "all networks" if one.all_networks else " ".join(one.networks)
        used = f"used {one.used_at:%Y-%m-%dT%H:%MZ}" if one.used_at else "never used"
        click.echo(
            f"{one.name}\t{_state(one, expired=one.expires_at <= now)}\t{' '.join(one.scopes)}\t"
            f"{reach}\tmade {one.created_at:%Y-%m-%d} by {one.created_by}\t{used}"
        )
    click.echo(f"{len(found)} token{'' if len(found) == 1 else 's'}.", err=True)


@tokens.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Take a token back: the next request with it is refused."""
    service = services()
    with service.make_session.begin() as db:
        row = api_tokens.by_name(db, name)
        if row is None:
            raise click.ClickException(f"There is no token {name!r}. See: flask --app wsgi tokens list")
        done = api_tokens.revoke(db, row, actor=operator(), now=service.clock())
    click.echo(f"{name} is revoked{'' if done else ', as it was'}.")


def _state(one: ApiToken, *, expired: bool) -> str:
    if one.revoked_at is not None:
        return f"revoked {one.revoked_at:%Y-%m-%d}"
    return f"{'expired' if expired else 'good until'} {one.expires_at:%Y-%m-%d}"


def _in_words(error: StaffError) -> str:
    match error:
        case TakenName():
            return "There is a token of this name, or there was one. Choose another name."
        case UnreadableName():
            return "A name has 2 to 40 small letters, digits, dots, dashes or underscores."
        case ImpossibleLife():
            return f"A token is good for 1 to {LONGEST_LIFE.days} days."
        case UnknownNetworks():
            return f"There is no network {', '.join(error.slugs)}. See: flask --app wsgi sites list"
        case _:
            return f"That is refused: {type(error).__name__}."
