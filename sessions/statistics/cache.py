"""Reports that were computed before: each is kept with a digest of all that it was computed from.

A report is served again as long as that digest is the same. It covers what the days of its stretches were counted to
(`FigureDay.digest`, set anew whenever the figures of a day are), which months are closed, the names of networks and
sites, and the accepted messages: so it becomes another one exactly when the report would.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Executable, delete, or_, select
from sqlalchemy.orm import Session

from db.statements import Insert, for_either, table_of
from sessions.statistics import report as numbers
from sessions.statistics import stored
from sessions.statistics.models import ComputedReport, FigureDay, FigureSalt
from sessions.statistics.periods import Period
from sessions.statistics.report import ReadAds, Report
from sessions.statistics.spans import Spans, spans_of

# How many are kept; those computed longest ago go first.
MOST = 300


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Which report, `question`, and a digest of what it is computed from, `basis`."""

    question: str
    basis: str


def key_of(db: Session, period: Period, *, networks: frozenset[str], ads: ReadAds) -> CacheKey:
    """The key of the report on this period; with `networks`, on these alone."""
    question = [str(period.first), str(period.last), sorted(networks)]
    return CacheKey(
        _digest([question]), _digest(_dependencies(db, spans_of(db, period), networks=networks, ads=ads))
    )


def find(db: Session, key: CacheKey) -> Report | None:
    """The report that was computed from the same figures; None where there is none."""
    row = db.execute(
        select(ComputedReport.numbers).where(
            ComputedReport.question == key.question, ComputedReport.basis == key.basis
        )
    ).first()
    if row is None:
        return None
    report = stored.read(row.numbers)
    report.last_made = numbers.last_made(db)
    return report


def keep(db: Session, key: CacheKey, report: Report, *, now: datetime) -> None:
    """Keep a report in the place of the one that was computed before from other figures."""
    values = {"question": key.question, "basis": key.basis, "made_at": now, "numbers": stored.write(report)}
    db.execute(_KEEP.on(db), values)
    newest = select(ComputedReport.question).order_by(ComputedReport.made_at.desc()).limit(MOST)
    db.execute(delete(ComputedReport).where(ComputedReport.question.not_in(newest.scalar_subquery())))


def _dependencies(
    db: Session, spans: Spans, *, networks: frozenset[str], ads: ReadAds
) -> Iterable[list[Any]]:
    yield [stored.FORMAT]
    for stretch in spans.everything:
        yield [str(stretch.first), str(stretch.last)]
        yield [[*pair, accepted] for pair, accepted in sorted(ads(stretch).items())]
    within = or_(*(FigureDay.day.between(one.first, one.last) for one in spans.everything))
    days = select(FigureDay.day, FigureDay.version, FigureDay.digest, FigureDay.made_at)
    for day, version, digest, made_at in db.execute(days.where(within).order_by(FigureDay.day)):
        yield [str(day), version, digest, made_at.isoformat()]
    closed = select(FigureSalt.month).where(FigureSalt.salt.is_(None)).order_by(FigureSalt.month)
    yield [str(month) for month in db.scalars(closed)]
    for pair, (network, site) in sorted(numbers.pairs_of(db, networks).items()):
        yield [*pair, network.slug, network.name, site.slug, site.name, site.zone]


def _digest(parts: Iterable[list[Any]]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(json.dumps(part).encode() + b"\n")
    return found.hexdigest()


def _upsert(insert_: Insert) -> Executable:
    made = insert_(_reports)
    written = {name: made.excluded[name] for name in ("basis", "made_at", "numbers")}
    return cast(Executable, made.on_conflict_do_update(index_elements=[_reports.c.question], set_=written))


_reports = table_of(ComputedReport)
_KEEP = for_either(_upsert)
