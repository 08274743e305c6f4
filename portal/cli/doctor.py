"""``flask doctor``: whether this installation is ready for guests, and what to type where it is not."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from auth.staff import lookup
from auth.staff.models import StaffState
from auth.staff.roles import Role
from config.certificates import check_certificate, check_served
from config.findings import ConfigFinding, Severity, fault, good, warning
from db.engine import reading
from gateways.registry import kinds
from portal.cli.gateway_checks import ADVICE
from portal.cli.machine import check_clock, check_name, check_nginx, check_units, is_sound, looked
from portal.cli.patrons import check_patrons_and_database
from portal.services import Services, services
from sessions.gateway_health.overview import GatewayHealth
from sessions.gateway_health.overview import look as look_at_gateways
from sites.checks import GatewayState

FOLDER = Path("/etc/arobase")


@click.command("doctor")
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@with_appcontext
def doctor(folder: Path) -> None:
    """Look at what a site rests on. Exit status 1 if something keeps people out."""
    found = examine(services(), folder, secret=os.environ.get("AROBASE_SECRET_KEY_FILE"))
    user = os.environ.get("PORTAL_USER")
    found += looked("the database", lambda: check_as(user, services()))
    for one in found:
        # deploy/arobase names the user: who runs that types `arobase`.
        sentence = one.sentence.replace("flask --app wsgi", "arobase") if user else one.sentence
        click.echo(f"{one.severity}\t{sentence}")
    if not is_sound(found):
        raise SystemExit(1)


def examine(service: Services, folder: Path, *, secret: str | None) -> list[ConfigFinding]:
    """What root may look at: the files below `folder`, the machine and its front."""
    parts = urlsplit(service.settings.portal_url)
    host, now = parts.hostname or "", service.clock()
    certificate, key = folder / "portal.pem", folder / "portal.key"
    one_box = (folder / "agent.toml").exists()
    found = looked("the clock", lambda: [check_clock(now.timestamp())])
    found += looked("the certificate", lambda: [check_certificate(certificate, key, host, now=now)])
    if secret:
        found += looked("the secret", lambda: [check_mode(Path(secret))])
    found += looked("the portal's name", lambda: [check_name(host, one_box=one_box)])
    found += looked("the units", lambda: check_units(one_box))
    found += looked("nginx", lambda: check_nginx(folder / "nginx.conf"))
    return found + looked("the front", lambda: [check_served(certificate, host, parts.port or 443)])


def check_as(user: str | None, service: Services) -> list[ConfigFinding]:
    """What the database tells, asked as the portal's own user."""
    _become(user)
    found = check_patrons_and_database(service)
    if found and found[0].severity is Severity.FAULT:
        return found
    return found + looked("the records", lambda: check_records(service))


def check_mode(secret: Path) -> ConfigFinding:
    """Whether a secret is for its owner and group alone."""
    try:
        mode = stat.S_IMODE(secret.stat().st_mode)
    except OSError as error:
        return fault(f"{secret} cannot be looked at: {error.strerror}.")
    if mode & 0o007:
        return fault(f"everybody on this machine may use {secret} (mode {mode:o}): chmod 640 {secret}")
    return good(f"{secret} is for its owner and group alone.")


def check_records(service: Services) -> list[ConfigFinding]:
    """Who can sign in as staff, and how the gateways do."""
    with reading(service.make_session) as db:
        return [check_administrator(db), *map(_of_gateway, look_at_gateways(db, now=service.clock()))]


def check_administrator(db: Session) -> ConfigFinding:
    """Whether somebody can give out accounts."""
    admins = [one for one in lookup.everybody(db) if Role.ADMIN in one.roles and one.all_networks]
    if any(one.state is StaffState.ACTIVE for one in admins):
        return good("there is an administrator of all networks.")
    if any(one.state is StaffState.INVITED for one in admins):
        return warning("no administrator has opened the setup link yet; a new one: arobase staff reset LOGIN")
    return fault("there is no administrator: arobase staff add LOGIN --role admin --all-networks")


def _of_gateway(one: GatewayHealth) -> ConfigFinding:
    line = f"gateway {one.check.identity}: {ADVICE[one.verdict]}"
    if one.check.kind not in kinds():
        return fault(f"gateway {one.check.identity}: this version knows no kind {one.check.kind!r}.")
    return good(f"{line}.") if one.verdict is GatewayState.WELL else fault(f"{line} (arobase gateways check)")


def _become(user: str | None) -> None:
    """From root, the portal's own user: the database may know people by it."""
    if user is None or os.geteuid() != 0:
        return
    known = pwd.getpwnam(user)
    os.initgroups(user, known.pw_gid)
    os.setgid(known.pw_gid)
    os.setuid(known.pw_uid)
