"""``flask requisitions``: the register, the answers, and checking a package that was given."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from auth.audit.actions import REQUISITIONS_LISTED, ObjectKind
from auth.staff.roles import ALL_NETWORKS, Authority
from portal.cli.operator import operator
from portal.services import services, town_zone
from sessions import access_audit
from sessions.legal_requests import answering, register
from sessions.legal_requests.errors import ClosedRequisition, UnreadableEntry
from sessions.legal_requests.models import Requisition
from sessions.legal_requests.package import check_package
from sessions.legal_requests.scopes import RequestScope, ScopeKind
from sessions.legal_requests.signing import fingerprint
from sessions.legal_requests.verify import in_words

requisitions = AppGroup(
    "requisitions", help="Requisitions: who asked, by which right, and what was answered."
)

NOT_GOOD = 1
# Whoever has the command line has the database: nothing is hidden from them, and everything is written down.
EVERYTHING = Authority(frozenset(), ALL_NETWORKS)


@requisitions.command("add")
@click.option("--authority", required=True, help="Who asks: the service, with its town.")
@click.option("--signer", required=True, help="Who signed, with their rank.")
@click.option("--reference", required=True, help="Their reference.")
@click.option("--basis", required=True, help="The right they ask by. See: requisitions bases")
@click.option("--basis-text", default="", help="Named, where the basis is another one.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in ScopeKind]), default="origin", show_default=True
)
@click.option("--public-address", default="", help="origin: the address that the Internet saw.")
@click.option("--port", default="", help="origin: the source port.")
@click.option("--at", default="", help="origin: the instant, 2026-11-22T14:10:05+01:00.")
@click.option("--tolerance", default="", help="origin: how many seconds their clock may be off.")
@click.option("--value", default="", help="The MAC, inner address, site or pseudonym of the other kinds.")
@click.option("--since", default="", help="The other kinds: from this instant on.")
@click.option("--until", default="", help="The other kinds: up to this instant, which is not included.")
@click.option("--zone", help="The town's zone or UTC, for instants without an offset.")
def add(**words: str | None) -> None:
    """Register a requisition, and show its number. Nothing is given by this."""
    try:
        with services().make_session.begin() as db:
            given = {name: text or "" for name, text in words.items()}
            entry = register.add(db, given, zone=town_zone(), actor=operator(), now=services().clock())
            click.echo(entry.id)
    except UnreadableEntry as error:
        raise click.ClickException(
            f"{error.field} is missing or cannot be read. An instant needs its offset, or --zone."
        ) from error


@requisitions.command("list")
def list_requisitions() -> None:
    """List the register, the newest first."""
    with services().make_session.begin() as db:
        for entry in register.newest(db, EVERYTHING):
            state = "closed" if entry.closed_at else "answered" if entry.answers else "open"
            click.echo(
                f"{entry.id}\t{entry.received_at:%Y-%m-%dT%H:%M:%SZ}\t{state}\t{entry.authority}\t"
                f"{entry.reference}\t{entry.basis.name}\t{services().legal_note.scope(RequestScope.of(entry.scope))}"
            )
        access_audit.looked(
            db,
            REQUISITIONS_LISTED,
            ObjectKind.REQUISITIONS,
            actor=operator(),
            now=services().clock(),
        )


@requisitions.command("answer")
@click.argument("number", type=int)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="The file to make.")
def answer(number: int, to: Path | None) -> None:
    """Make the signed package of a requisition."""
    service = services()
    try:
        with service.make_session.begin() as db:
            package = answering.answer(
                db,
                _find(db, number),
                signer=service.signer,
                portal=service.settings.portal_host,
                note=service.legal_note,
                actor=operator(),
                now=service.clock(),
            )
    except ClosedRequisition as error:
        raise click.ClickException(f"Requisition {number} is closed.") from error
    path = to or Path(package.name)
    path.touch(mode=0o600)
    path.write_bytes(package.content)
    click.echo(f"{path}: {service.legal_note.exactness(package.finding)}")
    click.echo(f"SHA-256 {package.digest}", err=True)


@requisitions.command("close")
@click.argument("number", type=int)
def close(number: int) -> None:
    """Close a requisition: nothing more leaves by it."""
    try:
        with services().make_session.begin() as db:
            register.close(db, _find(db, number), actor=operator(), now=services().clock())
    except ClosedRequisition as error:
        raise click.ClickException(f"Requisition {number} is closed already.") from error


@requisitions.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--key", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
def verify(file: Path, key: Path | None) -> None:
    """Check a package, without the database. Exit status 1, and the first bad file, where it is not good."""
    verdict = check_package(file.read_bytes(), key.read_bytes() if key else None)
    click.echo(in_words(verdict))
    if not verdict.is_good:
        sys.exit(NOT_GOOD)


@requisitions.command("key")
def show_key() -> None:
    """Print the public key, to be handed over once and by another way than the packages."""
    pem = services().signer.public_key()
    click.echo(pem.decode(), nl=False)
    click.echo(f"Fingerprint: {fingerprint(pem)}", err=True)


@requisitions.command("bases")
def list_bases() -> None:
    """List the rights by which somebody may ask."""
    with services().make_session() as db:
        for basis in register.every_basis(db):
            click.echo(f"{basis.name}\t{basis.text}{' (retired)' if basis.retired_at else ''}")


@requisitions.command("basis")
@click.argument("name")
@click.argument("text", default="")
@click.option("--retire", is_flag=True, help="Take it out of the list. Old entries keep it.")
def set_basis(name: str, text: str, retire: bool) -> None:
    """Add a basis, or change its text."""
    now = services().clock()
    with services().make_session.begin() as db:
        known = register.find_basis(db, name)
        if known is None and not text:
            raise click.ClickException("A new basis needs its text.")
        register.set_basis(db, name=name, text=text, retired=retire, actor=operator(), now=now)


def _find(db: Session, number: int) -> Requisition:
    entry = register.find(db, number, EVERYTHING)
    if entry is None:
        raise click.ClickException(f"There is no requisition {number}. See: requisitions list")
    return entry
