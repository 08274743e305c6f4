"""``flask vouchers plans`` and ``plan``: what passes are worth."""

from __future__ import annotations

import re
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.vouchers import plans
from auth.vouchers.models import PlanKind
from db.engine import reading
from portal.cli.operator import operator
from portal.services import services
from sites import queries

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def add_to(group: AppGroup) -> None:
    group.add_command(list_plans)
    group.add_command(put_plan)


@click.command("plans")
@with_appcontext
def list_plans() -> None:
    """List the plans: slug, kind, minutes (length, grace, least), devices, where they hold, names."""
    with reading(services().make_session) as db:
        found = plans.every(db)
    for plan in found:
        where = " ".join([*plan.networks, *plan.sites]) or "everywhere"
        names = ", ".join(f"{code}={name}" for code, name in plan.names.items())
        click.echo(
            f"{plan.slug}\t{plan.kind}\t{plan.length_minutes}+{plan.grace_minutes}, least {plan.least_minutes}\t"
            f"{plan.devices} at once\t{where}\t{names}"
        )
    click.echo(f"{len(found)} plan{'' if len(found) == 1 else 's'}.", err=True)


@click.command("plan")
@click.argument("slug")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in PlanKind]))
@click.option("--minutes", "length_minutes", default=0, help="For rolling_hours and fixed_minutes.")
@click.option("--grace", "grace_minutes", default=0, help="For until_closing: minutes after it.")
@click.option("--least", "least_minutes", default=0, help="Minutes that one used late has all the same.")
@click.option("--devices", default=1, show_default=True, help="At once.")
@click.option("--down", "rate_down_kbps", type=int, help="Ceiling in kbit/s, in place of the network's.")
@click.option("--up", "rate_up_kbps", type=int, help="Ceiling in kbit/s, in place of the network's.")
@click.option("--network", "networks", multiple=True, help="Where it holds; none given: everywhere.")
@click.option("--site", "sites", multiple=True, help="Where it holds; none given: everywhere.")
@click.option("--name", "names", multiple=True, required=True, metavar="LANGUAGE=NAME")
@with_appcontext
def put_plan(slug: str, **fields: Any) -> None:
    """Make a plan, or change it. Passes that are in use keep the end they have."""
    if not SLUG.fullmatch(slug):
        raise click.ClickException(f"{slug!r} is no name for a plan: use small letters, digits and hyphens.")
    names = dict(name.partition("=")[::2] for name in fields.pop("names"))
    if not all(code and name for code, name in names.items()):
        raise click.ClickException("--name is LANGUAGE=NAME, such as: --name fr=Semaine")
    fields |= {"kind": PlanKind(fields["kind"]), "names": names}
    fields |= {"networks": list(fields["networks"]), "sites": list(fields["sites"])}
    service = services()
    try:
        with service.make_session.begin() as db:
            _demand_places(db, fields["networks"], fields["sites"])
            is_new = plans.put(db, slug, fields, actor=operator(), now=service.clock())
    except IntegrityError as error:
        raise click.ClickException(
            "The plan makes no sense: rolling_hours and fixed_minutes need --minutes, no number may be negative, and "
            "there is at least one device."
        ) from error
    click.echo(f"The plan {slug} is {'made' if is_new else 'changed'}.")


def _demand_places(db: Session, networks: list[str], sites: list[str]) -> None:
    """A plan for a place that does not exist would hold nowhere, and nobody would know why."""
    known_networks = {one.slug for one in queries.networks(db)}
    for slugs, known, noun in (
        (networks, known_networks, "network"),
        (sites, set(queries.site_names(db)), "site"),
    ):
        missing = sorted(set(slugs) - known)
        if missing:
            raise click.ClickException(
                f"No such {noun}: {', '.join(missing)}. See: flask --app wsgi sites export --records {noun}s"
            )
