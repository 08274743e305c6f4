"""Queries of the log as staff write them in an address: parsed, formatted, resolved to a filter.

An address names no person and no device. It names a row of the log: "the device of session 4711" finds
what that MAC did, as often as the address is opened, and nothing at all once the row is purged.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from auth.vouchers import redeeming
from auth.vouchers.keys import VoucherKeys
from sessions.instants import read_clock, read_instant
from sessions.log import denials, query
from sessions.log.query import SUBJECT_LENGTH, Filter, State, network_ids
from sessions.models import AccessSession, Decision, EndReason
from sites.import_export.cells import SLUG
from sites.models import SigninMethod

# What is looked for row by row is looked for in the last day, unless another span is given.
ROW_BY_ROW = timedelta(days=1)
# "About 14:10" is from so long before to so long after.
ABOUT = timedelta(minutes=15)
_ENDS = re.compile(r"[0-9a-f]{2}:[0-9a-f]{2}")
# Never a whole one: that would be a name.
_PSEUDONYM = re.compile(r"[0-9a-f]{1,8}")
_MARK = re.compile(r"[0-9]{1,8}-[0-9]{1,8}")
_NUMBER = re.compile(r"[0-9]{1,15}")
Word = TypeVar("Word", bound=enum.StrEnum)


class Last(enum.StrEnum):
    """A span that ends now, or a day of the town's calendar."""

    QUARTER = "15m"
    HOUR = "1h"
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "7d"


class Same(enum.StrEnum):
    """What a row must share with the row that `like` names."""

    DEVICE = "device"
    ADDRESS = "address"
    PERSON = "person"


class Show(enum.StrEnum):
    ALL = "all"
    SESSIONS = "sessions"
    REFUSALS = "refusals"


class UnreadableWord(Exception):
    """The address says something for `name` that cannot be read."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)
        self.name = name
        self.text = text


class NoSuchRow(Exception):
    """`like` names no row of this person's networks: it never was, or is purged."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """One question. What is empty does not matter. `site` and `network` are slugs, `since` and `until` instants.

    `ends` is the visible end of a MAC ("0a:01"), `pseudonym` the first digits of one, `mark` the number on a pass.
    `like` names a row, a session by its number or a refusal by its code, and `same` what is shared with it.
    """

    site: str | None = None
    network: str | None = None
    last: Last | None = None
    since: datetime | None = None
    until: datetime | None = None
    ends: str | None = None
    pseudonym: str | None = None
    mark: str | None = None
    like: str | None = None
    same: Same | None = None
    state: State | None = None
    reason: EndReason | None = None
    method: SigninMethod | None = None
    show: Show = Show.ALL

    @property
    def is_empty(self) -> bool:
        return self == LogQuery()


def parse(words: Mapping[str, str], *, zone: ZoneInfo, now: datetime) -> LogQuery:
    """Read the words of an address. Raises `UnreadableWord` for the first one that says nothing we know."""

    def said(name: str) -> str | None:
        return words.get(name, "").strip() or None

    last = _word(Last, "last", said("last"))
    about = said("about")
    since = until = None
    if not ((last or about) and _is_left_over(words)):
        since, until = (_instant(name, said(name), zone) for name in ("from", "to"))
    if about:
        at = _about(about, zone, now)
        since, until = at - ABOUT, at + ABOUT
    if since is not None and until is not None and since >= until:
        raise UnreadableWord("to", said("to") or "")
    same = _word(Same, "same", said("same"))
    like = _like(said("like"))
    return LogQuery(
        site=_matched(SLUG, "site", said("site")),
        network=_matched(SLUG, "network", said("network")),
        last=None if since or until else last,
        since=since,
        until=until,
        ends=_matched(_ENDS, "ends", _lower(said("ends"))),
        pseudonym=_matched(_PSEUDONYM, "pseudonym", _lower((said("pseudonym") or "").rstrip("…") or None)),
        mark=_matched(_MARK, "pass", said("pass")),
        like=like,
        same=(same or Same.DEVICE) if like else None,
        state=_word(State, "state", said("state")),
        reason=_word(EndReason, "reason", said("reason")),
        method=_word(SigninMethod, "method", said("method")),
        show=_word(Show, "show", said("show")) or Show.ALL,
    )


def on_the_clock(at: datetime | None, zone: ZoneInfo) -> str:
    """An instant for a field of the form: the town's clock, to the minute, as a date picker writes it."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if at else ""


def format(asked: LogQuery) -> dict[str, str]:
    """The words for an address, in one order; `parse` reads the same question out of them."""
    names = {"since": "from", "until": "to", "mark": "pass"}
    said: dict[str, str] = {}
    for field in fields(asked):
        value = getattr(asked, field.name)
        if value is None or value is Show.ALL:
            continue
        text = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
        said[names.get(field.name, field.name)] = text.replace("+00:00", "Z")
    return said


def span(asked: LogQuery, *, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The span that is asked for: [since, until)."""
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, zone)
    yesterday = datetime.combine(midnight.date() - timedelta(days=1), time.min, zone)
    match asked.last:
        case None:
            return asked.since, asked.until
        case Last.QUARTER:
            return now - timedelta(minutes=15), None
        case Last.HOUR:
            return now - timedelta(hours=1), None
        case Last.TODAY:
            return midnight.astimezone(UTC), None
        case Last.YESTERDAY:
            return yesterday.astimezone(UTC), midnight.astimezone(UTC)
        case Last.WEEK:
            return now - timedelta(days=7), None


def resolve(
    db: Session,
    asked: LogQuery,
    *,
    authority_networks: Collection[str],
    keys: VoucherKeys,
    zone: ZoneInfo,
    now: datetime,
) -> Filter:
    """The filter that a question comes to. Raises `NoSuchRow` where it names a row that is not there to be seen."""
    since, until = span(asked, zone=zone, now=now)
    if asked.ends and since is None:
        since = (until or now) - ROW_BY_ROW
    filter = Filter(
        site=asked.site,
        network=asked.network,
        since=since,
        until=until,
        mac_end=asked.ends,
        subject=asked.pseudonym,
        state=asked.state,
        reason=asked.reason,
        method=asked.method,
    )
    if asked.mark is not None:
        voucher = redeeming.find_by_mark(db, asked.mark)
        if voucher is None:
            raise NoSuchRow
        filter = replace(filter, subject=keys.subject(voucher.id))
    if asked.like is not None and asked.same is not None:
        filter = _alike(db, filter, asked.like, asked.same, authority_networks)
    return filter


def named_row(
    db: Session, like: str, *, authority_networks: Collection[str]
) -> AccessSession | Decision | None:
    """The row that `like` names, where it is of these networks. A refusal of somebody behind no gateway is of none, and
    may be named by everybody who was told its code."""
    if _NUMBER.fullmatch(like):
        return query.find(db, int(like), authority_networks=authority_networks)
    decision = denials.find(db, like)
    own = network_ids(db, None, authority_networks)
    if decision is None or own is None or decision.network_id in (None, *own):
        return decision
    return None


def _alike(db: Session, filter: Filter, like: str, same: Same, authority_networks: Collection[str]) -> Filter:
    row = named_row(db, like, authority_networks=authority_networks)
    if row is None:
        raise NoSuchRow
    value = {Same.DEVICE: row.mac, Same.ADDRESS: row.address, Same.PERSON: row.subject}[same]
    if not value:
        raise NoSuchRow
    match same:
        case Same.DEVICE:
            return replace(filter, mac=value)
        case Same.ADDRESS:
            return replace(filter, address=value)
        case Same.PERSON:
            return replace(filter, subject=value if len(value) == SUBJECT_LENGTH else value[:SUBJECT_LENGTH])


def _is_left_over(words: Mapping[str, str]) -> bool:
    """Whether the span is the one that the form was shown with, so that what was chosen now goes before it."""
    shown = (words.get("shown_from", ""), words.get("shown_to", ""))
    return any(shown) and (words.get("from", ""), words.get("to", "")) == shown


def _like(text: str | None) -> str | None:
    if text is None or _NUMBER.fullmatch(text):
        return text
    code = denials.read_code(text)
    if code is None:
        raise UnreadableWord("like", text)
    return code


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None


def _matched(pattern: re.Pattern[str], name: str, text: str | None) -> str | None:
    if text is not None and not pattern.fullmatch(text):
        raise UnreadableWord(name, text)
    return text


def _word(kind: type[Word], name: str, text: str | None) -> Word | None:
    try:
        return None if text is None else kind(text)
    except ValueError as error:
        raise UnreadableWord(name, text or "") from error


def _instant(name: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """An instant with its offset, or a time of the town's own clocks."""
    if text is None:
        return None
    try:
        at = read_instant(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableWord(name, text) from error


def _about(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """A time of day, today or yesterday, whichever was last; or a day and time."""
    try:
        clock = read_clock(text)
    except ValueError:
        at = _instant("about", text, zone)
        assert at is not None
        return at
    today = now.astimezone(zone).date()
    at = datetime.combine(today, clock, zone)
    if at > now + ABOUT:
        at = datetime.combine(today - timedelta(days=1), at.timetz())
    return at.astimezone(UTC)
