"""``flask staff``: accounts of those who work here. There is no default account and no default password, ever."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from auth.audit.actor import command_line
from auth.staff import accounts, directory_accounts, lookup, requests
from auth.staff.accounts import Invitation
from auth.staff.errors import (
    DirectoryDecides,
    LastAdmin,
    NoRole,
    RolesApart,
    StaffError,
    TakenLogin,
    UngrantableRole,
    UnknownHome,
    UnknownNetworks,
    UnreadableLogin,
)
from auth.staff.models import Staff
from auth.staff.roles import Authority, Role, networks_of, takes_two
from auth.staff.totp import make_recovery_codes
from db.engine import reading
from portal.cli.operator import operator
from portal.services import services

staff = AppGroup("staff", help="Accounts of staff.")


@staff.command("add")
@click.argument("login")
@click.option("--name", default="", help="The person's name, as pages show it.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the person does; may be given several times.",
)
@click.option("--network", "networks", multiple=True, help="A network's slug; may be given several times.")
@click.option("--all-networks", is_flag=True, help="All of them, those to come included.")
@click.option("--home", default="", help="The slug of the library where the person hands passes out.")
@click.option(
    "--school", "schools", multiple=True, help="A school's slug, for the role school; several times."
)
def add(
    login: str,
    name: str,
    roles: tuple[str, ...],
    networks: tuple[str, ...],
    all_networks: bool,
    home: str,
    schools: tuple[str, ...],
) -> None:
    """Make an account, and show the link that sets it up, once."""
    if all_networks == bool(networks):
        raise click.UsageError("Say which networks: --network SLUG, or --all-networks.")
    service = services()
    authority = Authority(
        frozenset(Role(role) for role in roles),
        networks_of(networks, all_networks=all_networks),
        frozenset(schools),
    )
    try:
        with service.make_session.begin() as db:
            invitation = accounts.invite(
                db,
                login=login,
                name=name,
                authority=authority,
                actor=operator(),
                now=service.clock(),
                home_site=home,
            )
            _tell(db, invitation.staff)
    except StaffError as error:
        raise click.ClickException(_in_words(error)) from error
    _hand_over(invitation)


@staff.command("list")
def list_staff() -> None:
    """List the accounts."""
    with reading(services().make_session) as db:
        found = lookup.everybody(db)
    for one in found:
        networks = "all networks" if one.all_networks else " ".join(one.networks)
        click.echo(f"{one.login}\t{one.state}\t{' '.join(one.roles)}\t{networks}\t{one.name}")
    click.echo(f"{len(found)} account{'' if len(found) == 1 else 's'}.", err=True)


@staff.command("disable")
@click.argument("login")
def disable(login: str) -> None:
    """Close an account, and every sign-in with it, at once."""
    service = services()
    try:
        with service.make_session.begin() as db:
            person = _find(db, login)
            accounts.disable(db, person, actor=operator(), now=service.clock())
    except LastAdmin as error:
        raise click.ClickException(_in_words(error)) from error
    click.echo(f"{person.login} is disabled.")


@staff.command("reset")
@click.argument("login")
def reset(login: str) -> None:
    """Begin an account anew: no password, no second factor, no sign-in; a new link."""
    service = services()
    with service.make_session.begin() as db:
        person = _find(db, login)
        if person.issuer is not None:
            directory_accounts.enrol_anew(db, person, actor=operator(), now=service.clock())
            click.echo(f"{person.login} is shown another second factor at the next sign-in.")
            return
        if person.disabled_at is not None:
            accounts.enable(db, person, actor=operator(), now=service.clock())
        invitation = accounts.reset(db, person, actor=operator(), now=service.clock())
        _tell(db, person)
    _hand_over(invitation)


@staff.command("enable")
@click.argument("login")
def enable(login: str) -> None:
    """Open a disabled account again, with the password and second factor it had."""
    with services().make_session.begin() as db:
        person = _find(db, login)
        accounts.enable(db, person, actor=operator(), now=services().clock())
        _tell(db, person)
    click.echo(f"{person.login} is enabled.")


@staff.command("bind")
@click.argument("login")
@click.argument("subject")
def bind(login: str, subject: str) -> None:
    """Make a local account one of the town's directory: SUBJECT is what never changes about the person there.

    You say by this that both are one person: nothing else joins them. Password, second factor and passkeys are gone,
    and the roles are those of the person's groups from the next sign-in on.
    """
    service = services()
    issuer = service.settings.staff_issuer
    if issuer is None:
        raise click.ClickException("No directory is set up for staff: see docs/staff.md.")
    subject = subject.strip()
    if not 0 < len(subject) <= directory_accounts.LONGEST_SUBJECT or not subject.isprintable():
        raise click.ClickException(
            "SUBJECT is what the directory calls the person for ever (sub, entryUUID, objectGUID): one word, "
            f"at most {directory_accounts.LONGEST_SUBJECT} characters."
        )
    try:
        with service.make_session.begin() as db:
            if directory_accounts.by_subject(db, issuer, subject) is not None:
                raise click.ClickException("Another account is bound to this subject.")
            person = _find(db, login)
            directory_accounts.bind(
                db, person, issuer=issuer, subject=subject, actor=operator(), now=service.clock()
            )
    except StaffError as error:
        raise click.ClickException(_in_words(error)) from error
    click.echo(f"{person.login} is now an account of {issuer}.")


@staff.command("grant")
@click.argument("login")
@click.option("--by", required=True, help="Your name, for the audit log and for everybody concerned.")
def grant(login: str, by: str) -> None:
    """Be the second person for what an administrator asked about an account; prints the word that its link needs."""
    service = services()
    try:
        with service.make_session.begin() as db:
            person = _find(db, login)
            asked = requests.open_about(db, person, now=service.clock())
            if asked is None:
                raise click.ClickException(f"Nobody asks for anything about {person.login}.")
            handover = requests.grant(
                db,
                asked,
                by=None,
                actor=command_line(by),
                now=service.clock(),
                word=make_recovery_codes()[0],
                digest_word=service.staff.word_digest,
            )
    except StaffError as error:
        raise click.ClickException(_in_words(error)) from error
    click.echo(handover.word)
    click.echo(f"{person.login} needs this word beside the link that {asked.asked_by} was shown.", err=True)


def _tell(db: Session, person: Staff) -> None:
    """What takes two on the pages was done by one here: everybody concerned is told."""
    if takes_two(None, person.authority):
        requests.tell(db, person, by=operator().name, now=services().clock())


def _find(db: Session, login: str) -> Staff:
    person = lookup.find(db, login)
    if person is None:
        raise click.ClickException(f"There is nobody called {login!r}. See: flask --app wsgi staff list")
    return person


def _hand_over(invitation: Invitation) -> None:
    settings = services().settings
    click.echo(f"{settings.staff_url or settings.portal_url}/staff/setup/{invitation.token}")
    click.echo(
        f"{invitation.staff.login} sets the account up with this link. It is shown only now, works once, and for "
        "24 hours.",
        err=True,
    )


def _in_words(error: StaffError) -> str:
    match error:
        case TakenLogin():
            return "There is somebody with this login. See: flask --app wsgi staff list"
        case UnreadableLogin():
            return "A login is 2 to 64 small letters, digits, dots or underscores."
        case UnknownNetworks():
            return f"No such network: {', '.join(error.slugs)}. See: flask --app wsgi sites export --records networks"
        case UnknownHome():
            return (
                f"{error.slug!r} is no site with a network of this account. See: flask --app wsgi sites list"
            )
        case RolesApart():
            return "admin and privacy check each other: they are two people's."
        case NoRole():
            return "At least one role is needed."
        case UngrantableRole():
            return "It has a role that no group gives: privacy takes two people, school is bound to schools by hand."
        case DirectoryDecides():
            return "The directory decides about this account: its groups say what the person may do."
        case LastAdmin():
            return "This is the last local administrator of all networks: make somebody else one first."
        case _:
            return type(error).__name__
