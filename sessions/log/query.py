"""Finding sessions in millions: by what staff ask for, page after page, the newest first.

Every filter of its own has an index that ends in the order of the list, so that the millionth page costs what the
first one does. Where several are set, the narrowest one leads and the others are checked on its rows.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.base import UtcDateTime
from sessions.models import AccessSession, EndReason
from sites.models import Network, SigninMethod, Site

# A session that began up to so long before a span counts as in it where it reached into it. Hardly a device stays in
# one place for a day without a break, and without this bound every span would be a walk through the whole past.
LONGEST_STAY = timedelta(hours=24)
# So many signs of a MAC may be asked for alone: its last two octets. They are looked for row by row.
MAC_LENGTH, VISIBLE_END = 17, 5
SUBJECT_LENGTH = 32
MOST = 50


class State(enum.StrEnum):
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions are wanted; what is empty does not matter.

    `site` and `network` are slugs. A session is in the span when it ran at some instant of [since, until), see
    `LONGEST_STAY`. `mac` is whole. `mac_end` is its last two octets ("0a:01"), which no index serves: give a span with
    it. `subject` is a pseudonym, or its first digits.
    """

    site: str | None = None
    network: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    mac: str | None = None
    mac_end: str | None = None
    address: str | None = None
    subject: str | None = None
    state: State | None = None
    reason: EndReason | None = None
    method: SigninMethod | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A place in the list: after the row with this time and number."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One session of the list."""

    id: int
    site_id: int
    network_id: int
    method: SigninMethod
    subject: str
    mac: str
    address: str
    started_at: datetime
    until: datetime
    ended_at: datetime | None
    end_reason: EndReason | None

    @property
    def key(self) -> Key:
        return Key(self.started_at, self.id)


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, the newest first; `after` is where the older ones go on, None where there are none."""

    lines: tuple[ListedSession, ...]
    after: Key | None


def page(
    db: Session,
    filter: Filter,
    *,
    authority_networks: Collection[str],
    after: Key | None = None,
    most: int = MOST,
) -> Page:
    """The newest sessions that match, `most` of them, after the place `after`; none of a network outside
    `authority_networks` (slugs; none named: all)."""
    statement = matching(db, filter, authority_networks=authority_networks)
    if statement is None:
        return Page((), None)
    if after is not None:
        statement = statement.where(AccessSession.started_at <= after.at, _before(after))
    lines = tuple(map(listed, db.execute(in_order(statement).limit(most + 1))))
    return Page(lines[:most], lines[most - 1].key if len(lines) > most else None)


def every(
    db: Session, filter: Filter, *, authority_networks: Collection[str], at_once: int = 1_000
) -> Iterator[ListedSession]:
    """All sessions that match, the newest first, read through a cursor of the database's, `at_once` at a time."""
    statement = matching(db, filter, authority_networks=authority_networks)
    if statement is None:
        return
    for row in db.execute(in_order(statement).execution_options(yield_per=at_once)):
        yield listed(row)


def find(db: Session, access_id: int, *, authority_networks: Collection[str]) -> AccessSession | None:
    """One session, if its network is among those."""
    access = db.get(AccessSession, access_id)
    if access is None or (authority_networks and access.network.slug not in authority_networks):
        return None
    return access


def in_order(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(AccessSession.started_at.desc(), AccessSession.id.desc())


def listed(row: Row[Any]) -> ListedSession:
    values: tuple[Any, ...] = tuple(row)
    return ListedSession(*values)


def matching(db: Session, filter: Filter, *, authority_networks: Collection[str]) -> Select[Any] | None:
    """The statement for what matches, in no order; None where nothing can."""
    networks = network_ids(db, filter.network, authority_networks)
    site = None if filter.site is None else db.scalar(select(Site.id).where(Site.slug == filter.site))
    if networks == [] or (filter.site is not None and site is None):
        return None
    statement: Select[Any] = select(*_COLUMNS)
    # The narrowest first: it leads. SQLite knows no better, and is kept from choosing another one's index.
    led = False
    for column, value in _equalities(filter, site, networks):
        tied = led and db.get_bind().dialect.name == "sqlite"
        statement = statement.where((_untied(column) if tied else column) == value)
        led = True
    if networks is not None and len(networks) > 1:
        statement = statement.where(_untied(AccessSession.network_id).in_(networks))
    if filter.state is State.OPEN:
        statement = statement.where(AccessSession.ended_at.is_(None))
    elif filter.state is State.ENDED:
        statement = statement.where(AccessSession.ended_at.is_not(None))
    if filter.subject is not None and len(filter.subject) < SUBJECT_LENGTH:
        statement = statement.where(AccessSession.subject.between(filter.subject, filter.subject + "g"))
    if filter.mac_end is not None:
        statement = statement.where(
            func.substr(AccessSession.mac, MAC_LENGTH - VISIBLE_END + 1) == filter.mac_end
        )
    return _in_span(statement, filter)


def network_ids(db: Session, wanted: str | None, authority_networks: Collection[str]) -> list[int] | None:
    """The networks that are looked in: None stands for all there are, an empty list for none."""
    if wanted is None and not authority_networks:
        return None
    if wanted is not None and authority_networks and wanted not in authority_networks:
        return []
    slugs = sorted(authority_networks) if wanted is None else [wanted]
    return list(db.scalars(select(Network.id).where(Network.slug.in_(slugs)).order_by(Network.id)))


def _equalities(
    filter: Filter, site: int | None, networks: list[int] | None
) -> Iterator[tuple[InstrumentedAttribute[Any], Any]]:
    """The filters that an index serves by one value, the narrowest first."""
    whole_subject = filter.subject if filter.subject and len(filter.subject) == SUBJECT_LENGTH else None
    network = networks[0] if networks and len(networks) == 1 else None
    wanted: tuple[tuple[InstrumentedAttribute[Any], Any], ...] = (
        (AccessSession.mac, filter.mac),
        (AccessSession.subject, whole_subject),
        (AccessSession.address, filter.address),
        (AccessSession.end_reason, filter.reason),
        (AccessSession.site_id, site),
        (AccessSession.method, filter.method),
        (AccessSession.network_id, network),
    )
    return ((column, value) for column, value in wanted if value is not None)


def _untied(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """COALESCE(column, column): hides the column from SQLite's planner, so that another index leads."""
    return func.coalesce(column, column, type_=column.type)


def _in_span(statement: Select[Any], filter: Filter) -> Select[Any]:
    if filter.until is not None:
        statement = statement.where(AccessSession.started_at < filter.until)
    if filter.since is not None:
        statement = statement.where(
            AccessSession.started_at > filter.since - LONGEST_STAY,
            func.coalesce(AccessSession.ended_at, AccessSession.until) > literal(filter.since, UtcDateTime()),
        )
    return statement


def _before(place: Key) -> ColumnElement[bool]:
    at = literal(place.at, UtcDateTime())
    return tuple_(AccessSession.started_at, AccessSession.id) < tuple_(at, literal(place.id))


_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = (
    AccessSession.id,
    AccessSession.site_id,
    AccessSession.network_id,
    AccessSession.method,
    AccessSession.subject,
    AccessSession.mac,
    AccessSession.address,
    AccessSession.started_at,
    AccessSession.until,
    AccessSession.ended_at,
    AccessSession.end_reason,
)
