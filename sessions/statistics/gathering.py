"""The figures of one day, counted from the rows of the log by the database. Read-only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, cast, func, select
from sqlalchemy.orm import Session

from db.base import UtcDateTime
from sessions.log.denials import SIGNIN_STEPS
from sessions.models import AccessSession, Decision, Usage
from sessions.statistics import definitions, stays
from sessions.statistics.calendar import Span, hours_of
from sessions.statistics.service import Basis, Pair, expected_seconds, outage_seconds
from sessions.statistics.stays import LONGEST_STAY, Counted
from sites.models import Gateway, SigninMethod


@dataclass(slots=True)
class Gathered:
    """What the rows say of one pair and day. `visits` are those that began, by device: addresses, which go into a
    sketch and are forgotten. Hours and marks are counted from the beginning of the day, see `stays.Counted`."""

    basis: Basis
    began_in_hour: Counter[int] = field(default_factory=Counter)
    seconds_in_hour: Counter[int] = field(default_factory=Counter)
    changes: Counter[int] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    reattached: int = 0
    random_address: int = 0
    connected_seconds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outage_seconds: int = 0
    rates: list[int] = field(default_factory=lambda: [0] * len(definitions.RATE_CLASSES))

    def add(self, counted: Counted) -> None:
        """Take in a row of what was counted of the stays."""
        match counted.part:
            case stays.SESSIONS:
                self.began_in_hour[counted.place] += counted.number
                self.methods[counted.word] += counted.number
                self.reattached += counted.again
                self.random_address += counted.random
            case stays.SECONDS:
                self.connected_seconds = counted.number
            case stays.HOUR_SECONDS:
                self.seconds_in_hour[counted.place] = counted.number
            case stays.CHANGES:
                self.changes[counted.place] = counted.number
            case stays.VISITS:
                self.visits[counted.word] = counted.number


def gather(db: Session, day: date, bases: Mapping[Pair, Basis]) -> dict[Pair, Gathered]:
    """Everything that the rows say of this day, for these pairs; zone by zone, as a day has its own length in each."""
    found = {pair: Gathered(basis) for pair, basis in bases.items()}
    by_span: defaultdict[Span, dict[Pair, Gathered]] = defaultdict(dict)
    for pair, gathered in found.items():
        by_span[gathered.basis.span(day)][pair] = gathered
    if found:
        window = Span(min(span.start for span in by_span), max(span.end for span in by_span))
        for span, own in by_span.items():
            for counted in stays.count(db, span, window=window):
                if (pair := (counted.network_id, counted.site_id)) in own:
                    own[pair].add(counted)
            _gather_usage(db, span, window, own)
            _gather_failures(db, span, own)
        for pair, seconds in outage_seconds(db, dict(bases), day).items():
            found[pair].outage_seconds = seconds
    return found


def figures_of(gathered: Gathered, day: date) -> dict[str, Any]:
    """The columns of `DayFigures` that follow from the rows, without the devices."""
    span = gathered.basis.span(day)
    by_hour: list[list[int]] = [[0] * 24, [0] * 24]
    for number, (hour, _) in enumerate(hours_of(day, gathered.basis.zone)):
        by_hour[0][hour] += gathered.began_in_hour[number]
        by_hour[1][hour] += gathered.seconds_in_hour[number]
    marks = int((span.end - span.start) / definitions.AT_ONCE_EVERY)
    return {
        "basis": gathered.basis.write(),
        "sessions": gathered.began_in_hour.total(),
        "reattached": gathered.reattached,
        "random_address": gathered.random_address,
        "visits": gathered.visits.total(),
        "connected_seconds": gathered.connected_seconds,
        "bytes_up": gathered.bytes_up,
        "bytes_down": gathered.bytes_down,
        "expected_seconds": expected_seconds(gathered.basis, day),
        "outage_seconds": gathered.outage_seconds,
        "methods": dict(sorted(gathered.methods.items())),
        "failures": dict(sorted(gathered.failures.items())),
        "hour_sessions": by_hour[0],
        "hour_seconds": by_hour[1],
        "at_once": list(accumulate(gathered.changes[mark] for mark in range(marks))),
        "rates": gathered.rates,
    }


def _gather_usage(db: Session, day: Span, window: Span, found: dict[Pair, Gathered]) -> None:
    bounds = {"start": day.start, "end": day.end, "earliest": window.start - LONGEST_STAY}
    for network_id, site_id, rate_class, up, down, sessions in db.execute(_USAGE, bounds):
        gathered = found.get((network_id, site_id))
        if gathered is None:
            continue
        gathered.bytes_up += up
        gathered.bytes_down += down
        if rate_class is not None:
            gathered.rates[rate_class] += sessions


def _gather_failures(db: Session, day: Span, found: dict[Pair, Gathered]) -> None:
    rows = db.execute(
        select(Decision.network_id, Decision.site_id, Decision.rule, func.count())
        .where(Decision.at >= day.start, Decision.at < day.end, Decision.step.in_(sorted(SIGNIN_STEPS)))
        .group_by(Decision.network_id, Decision.site_id, Decision.rule)
    )
    for network_id, site_id, rule, count in rows:
        if network_id is not None and site_id is not None and (network_id, site_id) in found:
            found[network_id, site_id].failures[rule] += count


def _usage() -> Any:
    """Volume, and sessions by class of rate: of each session at each site, on the day it ended."""
    start, end, earliest = (bindparam(name, type_=UtcDateTime()) for name in ("start", "end", "earliest"))
    own = (
        select(
            AccessSession.network_id,
            Gateway.site_id,
            func.sum(Usage.bytes_up).label("up"),
            func.sum(Usage.bytes_down).label("down"),
            func.max(Usage.best_down_kbps).label("best"),
        )
        .join(Usage, Usage.access_id == AccessSession.id)
        .join(Gateway, Gateway.id == Usage.gateway_id)
        .where(
            AccessSession.ended_at >= start,
            AccessSession.ended_at < end,
            AccessSession.started_at >= earliest,
            AccessSession.method != SigninMethod.MANAGED,
        )
        .group_by(AccessSession.id, AccessSession.network_id, Gateway.site_id)
        .subquery()
    )
    lower_ends = list(enumerate(definitions.RATE_CLASSES))[:0:-1]
    classes = case(
        (own.c.down < definitions.LEAST_BYTES_FOR_A_RATE, None),
        *((own.c.best >= lower, number) for number, lower in lower_ends),
        else_=0,
    ).label("rate_class")
    bytes_up, bytes_down = (cast(func.sum(column), BigInteger) for column in (own.c.up, own.c.down))
    keys = (own.c.network_id, own.c.site_id, classes)
    return select(*keys, bytes_up, bytes_down, func.count()).group_by(*keys)


_USAGE = _usage()
