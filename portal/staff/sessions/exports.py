"""The log as a file: what the list shows, masked as it is shown, streamed, on record before the first byte."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC
from http import HTTPStatus
from urllib.parse import parse_qsl

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import EXPORT_WRITTEN, LOG_EXPORTED, ObjectKind
from auth.staff.roles import Action
from db.engine import SessionMaker, reading
from portal.denials.rendering import Refusal
from portal.i18n.translation import say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import access_audit, visibility
from portal.staff.sessions.access_audit import address_of, words_of
from portal.staff.sessions.pages import SiteChoices, filter_of, places_of
from sessions.log import listing, parquet, records
from sessions.log.masks import MaskedField, Visibility
from sessions.log.query import Filter
from sessions.log.records import COLUMNS, Names, Record, as_written
from sessions.log.search import LogQuery, NoSuchRow, Show, UnreadableWord, parse
from sites.import_export.tables import stream_table

FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@staff.get("/sessions/export")
@needs(Action.SESSIONS, confirmed=True)
def export_page() -> AnyResponse:
    """What will be in the file, and for what purpose it is wanted."""
    asked = _asked(dict(request.args))
    if asked.is_empty:
        return redirect(url_for("staff.sessions"), HTTPStatus.SEE_OTHER)
    return _page(asked, None)


def _page(asked: LogQuery, refusal: Refusal | None) -> AnyResponse:
    scope = visibility.of_question(asked)
    page = render_template(
        "staff/session_export.html",
        asked=asked,
        words=words_of(asked),
        back=address_of(asked),
        sight=visibility.sight(scope),
        scope=scope,
        refusal=refusal,
        purpose=request.form.get("purpose", "")[: visibility.LONGEST_REASON],
        has_parquet=parquet.is_installed(),
    )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


@staff.post("/sessions/export")
@needs(Action.SESSIONS, confirmed=True)
def export_log() -> AnyResponse:
    asked, kind = _asked(dict(parse_qsl(request.form.get("asked", "")))), request.form.get("format", "")
    if asked.is_empty or kind not in FORMATS:
        abort(HTTPStatus.BAD_REQUEST)
    purpose = visibility.reason_in("purpose")
    if purpose is None:
        return _page(asked, _no_purpose())
    if kind == "parquet" and not parquet.is_installed():
        return _page(asked, _no_parquet())
    service, me = services(), current_staff()
    sight = visibility.sight(visibility.of_question(asked))
    try:
        with reading(service.make_session) as db:
            filter, names = filter_of(db, asked), _names(places_of(db))
    except NoSuchRow:
        abort(HTTPStatus.NOT_FOUND)
    access_audit.note(
        LOG_EXPORTED,
        ObjectKind.LOG,
        network=asked.network,
        sight=sight,
        asked=words_of(asked),
        format=kind,
        purpose=purpose,
    )
    now = service.clock()
    note = f"asked: {words_of(asked)} · {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} · by {me.login} · {masked(sight)}"
    found = Counting(rows(service.make_session, filter, asked.show, names, sight, me.authority.networks))
    pieces = (
        parquet.stream(found, note=note)
        if kind == "parquet"
        else stream_table(COLUMNS, map(as_written, found), note=note)
    )
    done = access_audit.finisher(EXPORT_WRITTEN, ObjectKind.LOG, network=asked.network, format=kind)
    response = Response(to_the_end(pieces, found, done), content_type=FORMATS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="log-{now:%Y%m%d-%H%M}.{kind}"'
    return response


class Counting(Iterator[Record]):
    """Records, and how many there have been."""

    def __init__(self, found: Iterator[Record]) -> None:
        self._found = found
        self.count = 0

    def __next__(self) -> Record:
        record = next(self._found)
        self.count += 1
        return record


def to_the_end(pieces: Iterator[bytes], found: Counting, done: Callable[[int], None]) -> Iterator[bytes]:
    """The pieces, and then, or when the browser has gone away, how many rows were written."""
    try:
        yield from pieces
    finally:
        done(found.count)


def rows(
    make_session: SessionMaker,
    filter: Filter,
    show: Show,
    names: Names,
    sight: Visibility,
    networks: Collection[str],
) -> Iterator[Record]:
    """The records of what matches, read as they are written."""
    with reading(make_session) as db:
        yield from records.records(listing.every(db, filter, show, authority_networks=networks), names, sight)


def masked(sight: Visibility) -> str:
    """What is masked in a file, for its first line."""
    hidden = [veil.value for veil in MaskedField if veil not in sight.lifted]
    return f"masked: {', '.join(hidden)}" if hidden else "nothing masked"


def _names(places: SiteChoices) -> Names:
    return Names.of(places.sites.values(), places.networks.values())


def _no_purpose() -> Refusal:
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        say("What is the export for?"),
        say("Nothing was exported. Say it in ten characters at least: it goes into the audit log."),
        field="purpose",
    )


def _no_parquet() -> Refusal:
    return Refusal(
        HTTPStatus.NOT_IMPLEMENTED,
        say("Parquet is not installed here."),
        say("Nothing was exported. Take CSV, or ask whoever runs the portal to add Parquet."),
    )


def _asked(words: dict[str, str]) -> LogQuery:
    try:
        return parse(words, zone=town_zone(), now=services().clock())
    except UnreadableWord:
        abort(HTTPStatus.BAD_REQUEST)
