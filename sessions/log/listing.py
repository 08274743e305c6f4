"""Sessions and refusals in one list, by when they began: what staff look at when somebody says "about 14:10"."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from sessions.log import query
from sessions.log.query import (
    MAC_LENGTH,
    SUBJECT_LENGTH,
    VISIBLE_END,
    Filter,
    Key,
    ListedSession,
    network_ids,
)
from sessions.log.search import Show
from sessions.models import Decision
from sites.models import Site

_PLACE = re.compile(r"([0-9]{1,20})([sr])([0-9]{1,15})")


class UnreadablePlace(Exception):
    """Not a place in the list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the list goes on: after this session (`is_session`) or refusal. Sessions come first of one instant."""

    key: Key
    is_session: bool

    def __str__(self) -> str:
        at = self.key.at.astimezone(UTC)
        microseconds = int(at.timestamp()) * 1_000_000 + at.microsecond
        return f"{microseconds}{'s' if self.is_session else 'r'}{self.key.id}"


@dataclass(frozen=True, slots=True)
class Mixed:
    """Lines of both kinds, the newest first; `after` is where the older ones go on."""

    lines: tuple[ListedSession | Decision, ...]
    after: Place | None


def read_place(text: str) -> Place:
    """Raises `UnreadablePlace`."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise UnreadablePlace
    try:
        seconds, microseconds = divmod(int(found[1]), 1_000_000)
        at = datetime.fromtimestamp(seconds, tz=UTC).replace(microsecond=microseconds)
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadablePlace from error
    return Place(Key(at, int(found[3])), is_session=found[2] == "s")


def mixed(
    db: Session,
    filter: Filter,
    show: Show,
    *,
    authority_networks: Collection[str],
    after: Place | None = None,
    most: int = query.MOST,
) -> Mixed:
    """The newest lines that match, of the kinds that `show` names. A refusal has no state, no end and no plan: a filter
    on one of those leaves sessions alone."""
    sessions: tuple[ListedSession, ...] = ()
    refused: list[Decision] = []
    if show is not Show.REFUSALS:
        # All of an instant's sessions stand before its refusals.
        key = after.key if after is not None and after.is_session else None
        if after is not None and key is None:
            key = Key(after.key.at, 0)
        sessions = query.page(
            db, filter, authority_networks=authority_networks, after=key, most=most + 1
        ).lines
    if show is not Show.SESSIONS and not (filter.state or filter.reason or filter.method):
        refused = refusals(db, filter, authority_networks=authority_networks, after=after, most=most + 1)
    lines: tuple[ListedSession | Decision, ...] = tuple(sorted((*sessions, *refused), key=_rank))
    more = len(lines) > most
    return Mixed(lines[:most], place_of(lines[most - 1]) if more else None)


def every(
    db: Session, filter: Filter, show: Show, *, authority_networks: Collection[str], at_once: int = 1_000
) -> Iterator[ListedSession | Decision]:
    """All lines that match, the newest first, read through cursors of the database's, `at_once` at a time."""
    sessions: Iterator[ListedSession | Decision] = iter(())
    refused: Iterator[ListedSession | Decision] = iter(())
    if show is not Show.REFUSALS:
        sessions = query.every(db, filter, authority_networks=authority_networks, at_once=at_once)
    if show is not Show.SESSIONS and not (filter.state or filter.reason or filter.method):
        statement = _refusals(db, filter, authority_networks)
        if statement is not None:
            ordered = statement.order_by(Decision.at.desc(), Decision.id.desc())
            refused = iter(db.scalars(ordered.execution_options(yield_per=at_once)))
    return heapq.merge(sessions, refused, key=_rank)


def refusals(
    db: Session,
    filter: Filter,
    *,
    authority_networks: Collection[str],
    after: Place | None = None,
    most: int = query.MOST,
) -> list[Decision]:
    """The newest refusals that match."""
    statement = _refusals(db, filter, authority_networks)
    if statement is None:
        return []
    if after is not None and after.is_session:
        statement = statement.where(Decision.at <= after.key.at)
    elif after is not None:
        statement = statement.where(
            Decision.at <= after.key.at, tuple_(Decision.at, Decision.id) < (after.key.at, after.key.id)
        )
    return list(db.scalars(statement.order_by(Decision.at.desc(), Decision.id.desc()).limit(most)))


def place_of(line: ListedSession | Decision) -> Place:
    is_session = isinstance(line, ListedSession)
    return Place(line.key if isinstance(line, ListedSession) else Key(line.at, line.id), is_session)


def _refusals(db: Session, filter: Filter, authority_networks: Collection[str]) -> Select[Any] | None:
    networks = network_ids(db, filter.network, authority_networks)
    site = None if filter.site is None else db.scalar(select(Site.id).where(Site.slug == filter.site))
    if networks == [] or (filter.site is not None and site is None):
        return None
    statement = select(Decision)
    wanted = {
        Decision.mac: filter.mac,
        Decision.address: filter.address,
        Decision.site_id: site,
    }
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(column == value)
    if networks is not None:
        statement = statement.where(Decision.network_id.in_(networks))
    if filter.since is not None:
        statement = statement.where(Decision.at >= filter.since)
    if filter.until is not None:
        statement = statement.where(Decision.at < filter.until)
    if filter.mac_end is not None:
        statement = statement.where(func.substr(Decision.mac, MAC_LENGTH - VISIBLE_END + 1) == filter.mac_end)
    if filter.subject is not None:
        is_whole = len(filter.subject) == SUBJECT_LENGTH
        statement = statement.where(
            Decision.subject == filter.subject
            if is_whole
            else Decision.subject.between(filter.subject, filter.subject + "g")
        )
    return statement


def _rank(line: ListedSession | Decision) -> tuple[float, int, int]:
    if isinstance(line, ListedSession):
        return (-line.started_at.timestamp(), 0, -line.id)
    return (-line.at.timestamp(), 1, -line.id)
