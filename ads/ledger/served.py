"""Messages served: each a row by its ticket's nonce for some hours, then a count of its creative's day.

However often a row is written, by however many processes, it is one: what comes later adds what is known of it. What
was accepted is counted with its acceptance, as served and viewed too; its row here adds nothing to that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Executable, delete, select
from sqlalchemy.orm import Session

from ads.ledger.models import ServedImpression
from ads.models import CreativeDay, Impression
from db.prepared import Prepared
from db.statements import Insert, for_either, table_of
from sites.models import Gateway

# Longer than any ticket, and any press that was kept of one, is good for: what is as old cannot be accepted any more.
ADDED_UP_AFTER = timedelta(hours=2)
# What is written later than this is left out: its row might have been added up already.
WRITTEN_WITHIN = timedelta(minutes=110)
MOST_AT_ONCE = 2_000
# By creative, day, network and site.
Key = tuple[int, date, int, int]


@dataclass(frozen=True, slots=True)
class Served:
    """One message on one page. What is not known of it yet is False."""

    nonce: str
    creative_id: int
    network_id: int
    site_id: int
    day: date
    shown_at: datetime
    viewed: bool = False
    blocked: bool = False
    reported: bool = False


def of(
    gateway: Gateway,
    nonce: str,
    creative_id: int,
    *,
    shown_at: datetime,
    viewed: bool = False,
    blocked: bool = False,
    reported: bool = False,
) -> Served:
    """What is known of the message with this nonce, shown to a client of this gateway."""
    day = gateway.site.local_day(shown_at)
    return Served(
        nonce, creative_id, gateway.network_id, gateway.site_id, day, shown_at, viewed, blocked, reported
    )


def write(db: Session, entries: Iterable[Served], *, now: datetime) -> None:
    """Write down what was served, or what has become known of it. Harmless to repeat, in any order."""
    rows = [
        {name: getattr(one, name) for name in Served.__dataclass_fields__}
        for one in sorted(entries, key=lambda one: one.nonce)
        if now - one.shown_at <= WRITTEN_WITHIN
    ]
    if rows:
        db.execute(_WRITE.on(db), rows)


def add_up(db: Session, *, now: datetime) -> int:
    """Turn old rows into counts of their day; how many there were. Call it until there are none."""
    old = (
        select(ServedImpression.nonce)
        .where(ServedImpression.shown_at < now - ADDED_UP_AFTER)
        .order_by(ServedImpression.nonce)
        .limit(MOST_AT_ONCE)
    )
    rows = db.execute(
        delete(ServedImpression)
        .where(ServedImpression.nonce.in_(old))
        .returning(*table_of(ServedImpression).columns)
        .execution_options(synchronize_session=False)
    ).all()
    nonces = [row.nonce for row in rows]
    accepted = (
        set(db.scalars(select(Impression.nonce).where(Impression.nonce.in_(nonces)))) if nonces else set()
    )
    counts: dict[Key, Counter[str]] = {}
    for row in rows:
        own = counts.setdefault((row.creative_id, row.day, row.network_id, row.site_id), Counter())
        own.update(blocked=row.blocked, reported=row.reported)
        if row.nonce not in accepted:
            own.update(served=1, viewed=row.viewed)
    for key, counted in sorted(counts.items()):
        add(db, key, **counted)
    return len(rows)


def add(
    db: Session,
    key: Key,
    *,
    served: int = 0,
    viewed: int = 0,
    accepted: int = 0,
    over_cap: int = 0,
    blocked: int = 0,
    reported: int = 0,
) -> None:
    """Add to the counts of a creative's day at one site of a network, with the next statement or the commit."""
    creative_id, day, network_id, site_id = key
    _ADD.later(
        db,
        creative_id=creative_id,
        day=day,
        network_id=network_id,
        site_id=site_id,
        served=served,
        viewed=viewed,
        accepted=accepted,
        over_cap=over_cap,
        confirmed=0,
        blocked=blocked,
        reported=reported,
        failures={},
    )


def _writing(insert: Insert) -> Executable:
    fresh = insert(_served)
    known = ("viewed", "blocked", "reported")
    statement: Executable = fresh.on_conflict_do_update(
        index_elements=[_served.c.nonce],
        set_={name: _served.c[name] | fresh.excluded[name] for name in known},
    )
    return statement


def _adding(insert: Insert) -> Executable:
    fresh = insert(_days)
    counts = ("served", "viewed", "accepted", "over_cap", "blocked", "reported")
    statement: Executable = fresh.on_conflict_do_update(
        index_elements=list(_days.primary_key.columns),
        set_={name: _days.c[name] + fresh.excluded[name] for name in counts},
    )
    return statement


_served, _days = table_of(ServedImpression), table_of(CreativeDay)
_WRITE = for_either(_writing)
_ADD = Prepared(for_either(_adding))
