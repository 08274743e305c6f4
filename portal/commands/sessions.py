"""``flask sessions``: who is online, and ending it."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from db.engine import reading
from gateways.ports import InvalidMac, parse_mac
from portal.services import services
from sessions import ending
from sessions.models import AccessSession, EndReason

sessions = AppGroup("sessions", help="Access sessions.")


@sessions.command("list")
@click.option("--all", "everything", is_flag=True, help="Ended ones too.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_sessions(everything: bool, most: int) -> None:
    """List access sessions, the newest first."""
    now = services().clock()
    which: list[ColumnElement[bool]] = (
        [] if everything else [AccessSession.ended_at.is_(None), AccessSession.until > now]
    )
    with reading(services().make_session) as db:
        found = db.scalars(
            select(AccessSession)
            .where(*which)
            .order_by(AccessSession.id.desc())
            .limit(most)
            .options(joinedload(AccessSession.site), joinedload(AccessSession.network))
        ).all()
    for access in found:
        state = access.end_reason.value if access.end_reason else "open"
        click.echo(
            f"{access.id}\t{access.network.slug}\t{access.site.slug}\t{access.mac}\t{access.address}\t"
            f"{access.started_at:%Y-%m-%dT%H:%M:%SZ}\t{access.until:%Y-%m-%dT%H:%M:%SZ}\t{state}"
        )
    click.echo(f"{len(found)} session{'' if len(found) == 1 else 's'}.", err=True)


@sessions.command("end")
@click.argument("which", nargs=-1, required=True, metavar="NUMBER_OR_MAC...")
def end_sessions(which: tuple[str, ...]) -> None:
    """End open sessions, by number or MAC address. The gateways follow within seconds."""
    service = services()
    with service.make_session.begin() as db:
        chosen = {access_id for word in which for access_id in _find(db, word)}
        ended = sum(
            ending.end(db, access_id, reason=EndReason.STAFF, now=service.clock()) for access_id in chosen
        )
    click.echo(f"Ended {ended} session{'' if ended == 1 else 's'}.")


def _find(db: Session, word: str) -> list[int]:
    open_ones = select(AccessSession.id).where(AccessSession.ended_at.is_(None))
    if word.isdigit() and len(word) < 12:
        found = db.scalars(open_ones.where(AccessSession.id == int(word))).all()
    else:
        try:
            found = db.scalars(open_ones.where(AccessSession.mac == parse_mac(word))).all()
        except InvalidMac as error:
            raise click.ClickException(
                f"{word!r} is neither a session's number nor a MAC address."
            ) from error
    if not found:
        raise click.ClickException(f"No open session is {word}. See: flask --app wsgi sessions list")
    return list(found)
