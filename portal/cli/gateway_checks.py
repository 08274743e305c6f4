"""``flask gateways check`` and ``lines``: how every gateway does, what it lacks, and what to paste into its box."""

from __future__ import annotations

import sys

import click
from flask import g
from flask.cli import with_appcontext

from db.engine import reading
from gateways.registry import kinds
from portal.gateway_api.endpoints import endpoint_of
from portal.gateway_api.self_tests import self_test
from portal.i18n.gateway_capabilities import in_words_of, lacks_of, product_of
from portal.i18n.gateway_distance import distance_in_words
from portal.i18n.gateway_faults import fault_in_words
from portal.i18n.gateway_findings import finding_in_words
from portal.services import services
from sessions.gateway_health import dialogues
from sessions.gateway_health.overview import GatewayHealth, look
from sites.checks import GatewayState
from sites.gateways import every

ADVICE = {
    GatewayState.WELL: "well",
    GatewayState.NEVER_SEEN: "never seen: is it set up as gateways lines says, and can it reach the portal's address?",
    GatewayState.UNTRIED: "untried: nothing has come from it yet, as nobody has come through it",
    GatewayState.SILENT: "silent: nobody loses what they have, but nothing new opens there",
    GatewayState.FAULTY: "something is wrong there:",
    GatewayState.BEHIND: "behind: it has not confirmed the newest changes",
    GatewayState.CLOCK_OFF: "its clock is off: check NTP there",
    GatewayState.DRIFTING: "drifting: it does not let pass exactly whom the leases name, and is being told again",
}


@click.command("check")
@click.argument("identity", required=False)
@with_appcontext
def check_gateways(identity: str | None) -> None:
    """Say how every gateway does, and what its set-up still lacks; exit status 1 where one is not well.

    Of one alone, by its IDENTITY, its last exchanges with the portal as well.
    """
    g.language = "en"
    with reading(services().make_session) as db:
        found = [one for one in look(db, now=services().clock()) if identity in (None, one.check.identity)]
        records = {gateway.identity: gateway for gateway in every(db)}
        exchanges = dialogues.recent(db, gateway_id=found[0].id) if identity and found else []
    if identity and not found:
        raise click.ClickException(f"There is no gateway {identity!r}. See: gateways list")
    for one in found:
        click.echo("\t".join([one.check.identity, one.check.site, *_cells(one), ADVICE[one.verdict]]))
        for fault in one.check.faults:
            click.echo(f"\t{fault_in_words(fault)}")
        if one.missing or one.surplus or not one.distance.is_none:
            for sentence in distance_in_words(one):
                click.echo(f"\t{sentence}")
        for finding in self_test(records[one.check.identity]):
            click.echo(f"\tstill missing: {finding_in_words(finding)}")
    for exchange in exchanges:
        click.echo(f"\t{exchange.at:%Y-%m-%dT%H:%M:%SZ}\t{exchange.said}\t{exchange.answered}")
    tell_kinds(sorted({one.check.kind for one in found}))
    if any(one.verdict is not GatewayState.WELL for one in found):
        sys.exit(1)


@click.command("lines")
@click.argument("identity")
@with_appcontext
def show_lines(identity: str) -> None:
    """Show the lines to paste into a gateway's box, secrets and all, and what its set-up still lacks."""
    g.language = "en"
    with reading(services().make_session) as db:
        gateway = next((one for one in every(db) if one.identity == identity), None)
    if gateway is None:
        raise click.ClickException(f"There is no gateway {identity!r}. See: gateways list")
    if gateway.kind not in kinds():
        raise click.ClickException(f"{product_of(gateway.kind)}.")
    for lines in endpoint_of(gateway.kind).set_up(gateway).lines:
        click.echo(f"--- {lines.where}", err=True)
        click.echo(lines.text.rstrip("\n"))
    for finding in self_test(gateway):
        click.echo(f"Still missing: {finding_in_words(finding)}", err=True)


def tell_kinds(names: list[str], *, err: bool = False, options: bool = False) -> None:
    """What gateways of these kinds can do, in words; with `options`, what the operator sets at a record."""
    g.language = "en"
    for name in names:
        click.echo(f"kind {name}: {product_of(name)}", err=err)
        for sentence in in_words_of(name):
            click.echo(f"\t{sentence}", err=err)
        for option in kinds()[name].options if options else ():
            value = "needed" if option.default is None else f"default {option.default!r}"
            click.echo(f"\t--set {option.name}=…\t{option.help} ({value})", err=err)


def tell_lacks(name: str) -> None:
    """What gateways of this kind cannot do, and what the portal does instead."""
    g.language = "en"
    lacks = lacks_of(name)
    if lacks:
        click.echo(f"What {product_of(name)} cannot do, and what follows:", err=True)
    for sentence in lacks:
        click.echo(f"\t{sentence}", err=True)


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
