"""``flask gateways``: the records of gateways, and how they do."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import g
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from db.engine import reading
from gateways.registry import kinds
from portal.cli.radius_config import radius_config
from portal.i18n.gateway_capabilities import in_words_of, product_of
from portal.i18n.gateway_faults import fault_in_words
from portal.services import services
from sessions.gateway_health.overview import GatewayHealth, look
from sites import queries
from sites.checks import GatewayState
from sites.errors import SitesError, TakenIdentity
from sites.gateways import add_gateway, by_identity, every, rotate_credential
from sites.models import Network, Site

gateways = AppGroup("gateways", help="Gateway records.")
gateways.add_command(radius_config)

ADVICE = {
    GatewayState.WELL: "well",
    GatewayState.NEVER_SEEN: "never seen: is its agent running, with this portal's address and its credential?",
    GatewayState.SILENT: "silent: nobody loses what they have, but nothing new opens there",
    GatewayState.FAULTY: "something is wrong there:",
    GatewayState.BEHIND: "behind: it has not confirmed the newest changes",
    GatewayState.CLOCK_OFF: "its clock is off: check NTP there",
    GatewayState.DRIFTING: "drifting: it does not let pass exactly whom the leases name, and is being told again",
}


@gateways.command("add")
@click.argument("identity")
@click.option("--kind", type=click.Choice(list(kinds())), default="nftables", show_default=True)
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
    except SitesError as error:
        raise click.ClickException(f"{error}.") from error


@gateways.command("rotate")
@click.argument("identity")
@click.option(
    "--credential-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the credential there."
)
def rotate(identity: str, credential_file: Path | None) -> None:
    """Give a gateway a new credential; the old one stops at once."""
    with _handing_over(credential_file) as hand_over, services().make_session.begin() as db:
        gateway = by_identity(db, identity)
        if gateway is None:
            raise click.ClickException(f"There is no gateway {identity!r}. See: gateways list")
        hand_over(rotate_credential(db, gateway))


@gateways.command("kinds")
def list_kinds() -> None:
    """List the kinds of gateways, and what each can do."""
    _tell_kinds(list(kinds()))


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
    _tell_kinds(sorted({gateway.kind for gateway in found}), err=True)


@gateways.command("check")
def check_gateways() -> None:
    """Say how every gateway does; exit status 1 where one is not well."""
    g.language = "en"
    with reading(services().make_session) as db:
        found = look(db, now=services().clock())
    for one in found:
        click.echo("\t".join([one.check.identity, one.check.site, *_cells(one), ADVICE[one.verdict]]))
        for fault in one.check.faults:
            click.echo(f"\t{fault_in_words(fault)}")
    _tell_kinds(sorted({one.check.kind for one in found}))
    if any(one.verdict is not GatewayState.WELL for one in found):
        sys.exit(1)


def _tell_kinds(names: list[str], *, err: bool = False) -> None:
    """What gateways of these kinds can do, in words."""
    g.language = "en"
    for name in names:
        click.echo(f"kind {name}: {product_of(name)}", err=err)
        for sentence in in_words_of(name):
            click.echo(f"\t{sentence}", err=err)


def _cells(one: GatewayHealth) -> list[str]:
    seen, clock = one.check.seen_at, one.check.clock_offset
    waiting = "" if one.unconfirmed_since is None else f" for {one.unconfirmed_since.total_seconds():.0f} s"
    return [
        f"seen {seen:%Y-%m-%dT%H:%M:%SZ}" if seen else "seen never",
        f"{one.check.lag} behind{waiting}",
        "clock unknown" if clock is None else f"clock {clock:+.1f} s",
        f"{one.missing} missing, {one.surplus} surplus",
        f"{one.zombies.day} zombies closed in a day",
    ]


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
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name or name in options:
            raise click.ClickException(f"--set {setting!r}: write each option once, as NAME=VALUE.")
        options[name] = value
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
