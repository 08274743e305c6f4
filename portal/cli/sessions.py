"""``flask sessions``: the log on the command line, in the words of its address, and ending a session.

Masked and on record as on the staff's pages: whoever sits at this machine is a person too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from auth.audit.actions import EXPORT_WRITTEN, LOG_EXPORTED, LOG_LISTED, AuditAction, ObjectKind
from db.engine import reading
from gateways.types import InvalidMac, parse_mac
from portal.cli.operator import operator
from portal.gateway_api import notify_gateway
from portal.services import services, town_zone
from sessions import clients, end, leases
from sessions.access_audit import looked
from sessions.log import listing, parquet, records
from sessions.log.masks import MASKED, MaskedField, Visibility
from sessions.log.query import Filter, State
from sessions.log.records import COLUMNS, Names, Record, as_written
from sessions.log.search import Last, LogQuery, NoSuchRow, Same, Show, UnreadableWord, format, parse, resolve
from sessions.models import EndReason
from sites import queries
from sites.import_export.tables import stream_table
from sites.models import SigninMethod

sessions = AppGroup("sessions", help="Access sessions and refusals.")
Command = TypeVar("Command", bound=Callable[..., Any])
EVERYWHERE: frozenset[str] = frozenset()
SHORTEST_REASON = 10
_OPTIONS = (
    click.option("--site", help="A site's slug."),
    click.option("--network", help="A network's slug."),
    click.option(
        "--last", type=click.Choice([word.value for word in Last]), help="A span that ends now, or a day."
    ),
    click.option(
        "--from", "from_", metavar="TIME", help="As 2026-11-26T14:00, on the town's clocks or with an offset."
    ),
    click.option("--to", metavar="TIME"),
    click.option("--about", metavar="TIME", help="As 14:10: a quarter of an hour before and after."),
    click.option("--mac", help="A whole MAC address."),
    click.option("--ends", help="The end of one, as 0a:01."),
    click.option("--address", help="A client's address."),
    click.option("--pseudonym", help="The first digits of one."),
    click.option("--pass", "pass_", metavar="MARK", help="The number on a pass, as 12-7."),
    click.option("--like", metavar="ROW", help="A session's number or an incident code; see --same."),
    click.option("--same", type=click.Choice([word.value for word in Same]), help="What is shared with it."),
    click.option("--state", type=click.Choice([word.value for word in State])),
    click.option("--reason", type=click.Choice([word.value for word in EndReason]), help="Why it ended."),
    click.option("--method", type=click.Choice([word.value for word in SigninMethod])),
    click.option(
        "--show",
        type=click.Choice([word.value for word in Show]),
        default=Show.SESSIONS.value,
        show_default=True,
    ),
    click.option(
        "--unmask", metavar="REASON", help="Show devices and persons in full. The reason is recorded."
    ),
)


def asking(command: Command) -> Command:
    """Give a command the words of a question."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@sessions.command("list")
@asking
@click.option("--all", "everything", is_flag=True, help="Ended ones too.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_sessions(everything: bool, most: int, **words: str | None) -> None:
    """List sessions or refusals, the newest first; those that are open, unless something else is asked for."""
    with _denials_as_errors():
        asked, filter, sight = _read(words, default=None if everything else State.OPEN)
        with reading(services().make_session) as db:
            found = listing.mixed(db, filter, asked.show, authority_networks=EVERYWHERE, most=most).lines
            names = _names(db)
        _record(LOG_LISTED, asked, words, sight, rows=len(found))
    for record in map(as_written, records.records(found, names, sight)):
        click.echo("\t".join(record[name] or "-" for name in COLUMNS if not name.endswith("_local")))
    click.echo(f"{len(found)} line{'' if len(found) == 1 else 's'}.", err=True)


@sessions.command("export")
@asking
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--purpose", required=True, help="What it is for: it goes into the audit log.")
def export(path: Path, purpose: str, **words: str | None) -> None:
    """Write what is found to PATH, as CSV, or as Parquet where it ends in .parquet."""
    kind = "parquet" if path.suffix == ".parquet" else "csv"
    if kind == "parquet" and not parquet.is_installed():
        raise click.ClickException(
            "Parquet is not installed here: pip install --require-hashes -r requirements-parquet.txt adds it."
            " CSV needs nothing: give a path that ends in .csv"
        )
    purpose = " ".join(purpose.split())[:200]
    if len(purpose) < SHORTEST_REASON:
        raise click.ClickException(
            "Say what it is for in at least ten characters: --purpose 'fault at the station'"
        )
    with _denials_as_errors():
        asked, filter, sight = _read(words, default=None)
        _record(LOG_EXPORTED, asked, words, sight, format=kind, purpose=purpose)
        count = 0

        def counted(found: Iterator[Record]) -> Iterator[Record]:
            nonlocal count
            for record in found:
                count += 1
                yield record

        with reading(services().make_session) as db, path.open("wb") as file:
            every = listing.every(db, filter, asked.show, authority_networks=EVERYWHERE)
            found = counted(records.records(every, _names(db), sight))
            note = f"asked: {urlencode(format(asked))}"
            pieces = (
                parquet.stream(found, note=note)
                if kind == "parquet"
                else stream_table(COLUMNS, map(as_written, found), note=note)
            )
            for piece in pieces:
                file.write(piece)
        _record(EXPORT_WRITTEN, asked, words, sight, rows=count)
    click.echo(f"{count} line{'' if count == 1 else 's'} in {path}.", err=True)


@sessions.command("end")
@click.argument("which", nargs=-1, required=True, metavar="NUMBER_OR_MAC...")
def end_sessions(which: tuple[str, ...]) -> None:
    """End open sessions, by number or MAC address. Gateways that can take access back follow within seconds."""
    service = services()
    with service.make_session.begin() as db:
        chosen = sorted({access_id for word in which for access_id in _find(db, word)})
        gateways = {gateway.id: gateway for one in chosen for gateway in leases.gateways_of(db, one)}
        ended = end.end_all_by(db, chosen, actor=operator(), now=service.clock())
        kept = {one: leases.running(db, one, now=service.clock()) for one in ended}
    for gateway in gateways.values():
        notify_gateway(gateway)
    click.echo(f"Ended {len(ended)} session{'' if len(ended) == 1 else 's'}.")
    for number, passing in kept.items():
        if passing:
            until = f"{passing[0].until:%Y-%m-%dT%H:%M:%SZ}"
            click.echo(f"Session {number} passes until {until}: a gateway cannot take access back.", err=True)


def _read(words: dict[str, str | None], *, default: State | None) -> tuple[LogQuery, Filter, Visibility]:
    """The question, the filter it comes to, and what is seen of the answer."""
    service = services()
    now = service.clock()
    said = {name.rstrip("_"): text for name, text in words.items() if text is not None}
    reason, mac, address = said.pop("unmask", None), said.pop("mac", None), said.pop("address", None)
    asked = parse(said, zone=town_zone(), now=now)
    if default is not None and not (mac or address) and asked == LogQuery(show=asked.show):
        asked = replace(asked, state=default)
    with reading(service.make_session) as db:
        filter = resolve(
            db,
            asked,
            authority_networks=EVERYWHERE,
            keys=service.voucher_keys,
            zone=town_zone(),
            now=now,
        )
    filter = replace(filter, mac=parse_mac(mac) if mac else filter.mac, address=address or filter.address)
    if reason is not None and len(" ".join(reason.split())) < SHORTEST_REASON:
        raise click.ClickException(
            "Say why in at least ten characters: --unmask 'lost phone, incident K7Q-4MX'"
        )
    return asked, filter, MASKED if reason is None else Visibility(frozenset(MaskedField))


def _record(
    action: AuditAction, asked: LogQuery, words: dict[str, str | None], sight: Visibility, **detail: str | int
) -> None:
    """A line in the audit log, committed before anything is shown. It repeats no MAC and no address that was typed."""
    service = services()
    by = [name for name in ("mac", "address") if words.get(name)]
    facts: dict[str, Any] = {"asked": urlencode(format(asked)), **detail}
    if by:
        facts["by"] = by
    if sight.lifted:
        facts |= {
            "unmasked": sorted(sight.lifted),
            "reason": " ".join((words.get("unmask") or "").split())[:200],
        }
    with service.make_session.begin() as db:
        looked(
            db,
            action,
            ObjectKind.LOG,
            actor=operator(),
            network=asked.network,
            detail=facts,
            now=service.clock(),
        )


def _names(db: Session) -> Names:
    return Names.of(queries.sites(db), queries.networks(db))


@contextmanager
def _denials_as_errors() -> Iterator[None]:
    """Turn what cannot be asked into what to do."""
    try:
        yield
    except UnreadableWord as error:
        raise click.ClickException(f"{error.text[:40]!r} is nothing for --{error.name}.") from error
    except NoSuchRow as error:
        raise click.ClickException("There is no such row in the log: never was, or purged.") from error
    except InvalidMac as error:
        raise click.ClickException(str(error)) from error


def _find(db: Session, word: str) -> list[int]:
    try:
        is_number = word.isdigit() and len(word) < 12
        found = (
            clients.open_ids(db, access_id=int(word))
            if is_number
            else clients.open_ids(db, mac=parse_mac(word))
        )
    except InvalidMac as error:
        raise click.ClickException(f"{word!r} is neither a session's number nor a MAC address.") from error
    if not found:
        raise click.ClickException(f"No open session is {word}. See: flask --app wsgi sessions list")
    return found
