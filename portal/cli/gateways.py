"""``flask gateways``: the records of gateways, and how they do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from db.engine import reading
from gateways.registry import UnknownKind, kinds
from portal.cli.gateway_checks import check_gateways, show_lines, tell_kinds, tell_lacks
from portal.cli.radius_config import radius_config
from portal.services import services
from sites import queries
from sites.errors import InvalidGateway, SitesError, TakenIdentity
from sites.gateways import add_gateway, by_identity, every, rotate_credential
from sites.models import Network, Site

gateways = AppGroup("gateways", help="Gateway records.")
gateways.add_command(check_gateways)
gateways.add_command(show_lines)
gateways.add_command(radius_config)


@gateways.command("add")
@click.argument("identity")
@click.option("--kind", default="nftables", show_default=True, help="One of those that gateways kinds lists.")
@click.option("--site", "site_slug", required=True, help="The site's slug.")
@click.option("--network", "network_slug", required=True, help="The network's slug.")
@click.option(
    "--prefix", "prefixes", multiple=True, required=True, help="A prefix of its clients: 10.66.0.0/24."
)
@click.option("--redirector", default="", help="Its redirector, for example http://10.66.0.1:8081/")
@click.option(
    "--public-address",
    "public_addresses",
    multiple=True,
    help="An IPv4 address that the Internet sees its clients behind.",
)
@click.option(
    "--ports-per-client",
    type=int,
    default=0,
    show_default=True,
    help="Source ports each client has to itself; 0: all share all.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the kind: see gateways kinds.",
)
@click.option(
    "--credential-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the credential there."
)
def add(
    identity: str,
    kind: str,
    site_slug: str,
    network_slug: str,
    prefixes: tuple[str, ...],
    redirector: str,
    public_addresses: tuple[str, ...],
    ports_per_client: int,
    settings: tuple[str, ...],
    credential_file: Path | None,
) -> None:
    """Record a gateway, and show its credential, once."""
    try:
        with _handing_over(credential_file) as hand_over, services().make_session.begin() as db:
            _, credential = add_gateway(
                db,
                identity=identity,
                kind=kind,
                site=_site(db, site_slug),
                network=_network(db, network_slug),
                client_prefixes=prefixes,
                redirector_url=redirector,
                public_addresses=public_addresses,
                ports_per_client=ports_per_client,
                options=_options(settings),
            )
            hand_over(credential)
    except TakenIdentity as error:
        raise click.ClickException(
            f"There is a gateway {error.identity!r} already. See: gateways list"
        ) from error
    except UnknownKind as error:
        raise click.ClickException(f"--kind {error}.") from error
    except InvalidGateway as error:
        raise click.ClickException("\n".join(f"{reason}." for reason in error.reasons)) from error
    except SitesError as error:
        raise click.ClickException(f"{error}.") from error
    tell_lacks(kind)
    click.echo(f"The lines for the box: gateways lines {identity}", err=True)


@gateways.command("rotate")
@click.argument("identity")
@click.option(
    "--credential-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the credential there."
)
@click.option(
    "--keep-old-hours",
    type=click.IntRange(0, 168),
    default=0,
    show_default=True,
    help="For how long the secrets that stand in the box hold beside the new ones: time to go there.",
)
def rotate(identity: str, credential_file: Path | None, keep_old_hours: int) -> None:
    """Give a gateway a new credential, and new secrets in its lines; the old credential stops at once."""
    until = services().clock() + timedelta(hours=keep_old_hours) if keep_old_hours else None
    with _handing_over(credential_file) as hand_over, services().make_session.begin() as db:
        gateway = by_identity(db, identity)
        if gateway is None:
            raise click.ClickException(f"There is no gateway {identity!r}. See: gateways list")
        hand_over(rotate_credential(db, gateway, keep_old_until=until))
    if until:
        click.echo(
            f"The secrets before these hold until {until:%Y-%m-%d %H:%M} UTC. The new ones: gateways lines {identity}",
            err=True,
        )


@gateways.command("kinds")
def list_kinds() -> None:
    """List the kinds of gateways, what each can do, and what --set may say of one."""
    tell_kinds(list(kinds()), options=True)


@gateways.command("list")
def list_gateways() -> None:
    """List the gateways, and below them what their kinds can do."""
    with reading(services().make_session) as db:
        found = every(db)
    for gateway in found:
        prefixes = " ".join(gateway.client_prefixes)
        click.echo(
            f"{gateway.identity}\t{gateway.kind}\t{gateway.site.slug}\t{gateway.network.slug}\t{prefixes}"
        )
    click.echo(f"{len(found)} gateway{'' if len(found) == 1 else 's'}.", err=True)
    tell_kinds(sorted({gateway.kind for gateway in found}), err=True)


@contextmanager
def _handing_over(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Show a credential, or put it into a file, once what made it is committed; before, nothing of it is left."""
    made: list[str] = []
    if path is None:
        yield made.append
        click.echo(made[0])
        click.echo("This is its credential. It is shown only now.", err=True)
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error
    waiting = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:

            def hand_over(credential: str) -> None:
                file.write(credential + "\n")
                file.flush()
                os.fsync(file.fileno())

            yield hand_over
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    click.echo(f"Its credential stands in {path}.", err=True)


def _options(settings: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=VALUE, each name once."""
    options: dict[str, str] = {}
    odd = []
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name or name in options:
            odd.append(f"--set {setting!r}: write each option once, as NAME=VALUE.")
        options[name] = value
    if odd:
        raise click.ClickException("\n".join(odd))
    return options


def _site(db: Session, slug: str) -> Site:
    site = queries.site_by_slug(db, slug)
    if site is None:
        raise click.ClickException(f"There is no site {slug!r}. See: flask --app wsgi sites list")
    return site


def _network(db: Session, slug: str) -> Network:
    network = queries.network_by_slug(db, slug)
    if network is None:
        slugs = ", ".join(sorted(one.slug for one in queries.networks(db))) or "none yet"
        raise click.ClickException(f"There is no network {slug!r}. There are: {slugs}.")
    return network
