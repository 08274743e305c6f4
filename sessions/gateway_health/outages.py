"""Outages of gateways: from the last contact before a silence until the first one after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, exists, insert, select, update
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import Insert, for_either, table_of
from gateways.registry import names
from sessions.end import GATEWAY_SILENT
from sessions.models import Outage
from sites.models import Feed, Gateway


def hear(db: Session, *, gateway_id: int, now: datetime, health: dict[str, Any] | None = None) -> None:
    """Record contact from a gateway, with its `health` if reported, and end its outage if there was one.

    An outage that no sweep noticed is recorded as well.
    """
    seen_at = end(db, gateway_id=gateway_id, seen_at=_SEEN.scalar(db, gateway=gateway_id), now=now)
    _HEARD.run(db, gateway=gateway_id, seen=seen_at)
    if health is not None:
        _HEALTH.run(db, gateway=gateway_id, health=health)


def end(db: Session, *, gateway_id: int, seen_at: datetime | None, now: datetime) -> datetime:
    """End the outage of a gateway that speaks now and was heard last at `seen_at`; the instant to remember.

    The caller has locked the row of the gateway's feed.
    """
    if seen_at is not None and now - seen_at >= GATEWAY_SILENT:
        _end_silence(db, gateway_id, since=seen_at, until=now)
    return max(now, seen_at or now)


def notice(db: Session, *, now: datetime) -> int:
    """Write down that gateways are silent; how many have become so. Harmless to run twice, or in two places.

    A gateway that never spoke is not in service yet. Of a kind that does not let itself be heard, silence says nothing.
    """
    _close_heard(db)
    heard = names(lambda kind: kind.is_heard)
    silent = db.execute(_SILENT, {"before": now - GATEWAY_SILENT, "heard": heard}).all()
    opened = [
        db.scalar(_OPEN.on(db), {"gateway": row.id, "since": row.seen_at}) is not None for row in silent
    ]
    return sum(opened)


def recent(db: Session, *, gateway_id: int, most: int = 20) -> Sequence[Outage]:
    """The latest silences of a gateway, the newest first."""
    return db.scalars(
        select(Outage)
        .where(Outage.gateway_id == gateway_id)
        .order_by(Outage.since.desc(), Outage.id.desc())
        .limit(most)
    ).all()


def _end_silence(db: Session, gateway_id: int, *, since: datetime, until: datetime) -> None:
    ended = db.scalars(
        update(Outage)
        .where(Outage.gateway_id == gateway_id, Outage.until.is_(None))
        .values(until=until)
        .returning(Outage.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    if not ended:
        db.execute(insert(Outage).values(gateway_id=gateway_id, since=since, until=until))


def _close_heard(db: Session) -> None:
    """End silences of gateways that were heard since, by a worker whose clock is behind ours."""
    heard = (
        select(Feed.seen_at)
        .where(Feed.gateway_id == Outage.gateway_id, Feed.seen_at > Outage.since)
        .scalar_subquery()
    )
    db.execute(
        update(Outage)
        .where(Outage.until.is_(None), heard.is_not(None))
        .values(until=heard)
        .execution_options(synchronize_session=False)
    )


def _open(insert: Insert) -> Executable:
    opened: Executable = (
        insert(_outages)
        .values(gateway_id=bindparam("gateway"), since=bindparam("since"))
        .on_conflict_do_nothing()
        .returning(_outages.c.id)
    )
    return opened


_outages, _gateways, _feeds = table_of(Outage), table_of(Gateway), table_of(Feed)
# The feed's row is taken before it is decided: who hears it and who notices its silence go one after the other.
_own_feed = _feeds.c.gateway_id == bindparam("gateway")
_SEEN = Prepared(select(_feeds.c.seen_at).where(_own_feed).with_for_update())
_HEARD = Prepared(update(_feeds).where(_own_feed).values(seen_at=bindparam("seen")))
_HEALTH = Prepared(
    update(_gateways).where(_gateways.c.id == bindparam("gateway")).values(health=bindparam("health"))
)
_SILENT = (
    select(_gateways.c.id, _feeds.c.seen_at)
    .join(_feeds, _feeds.c.gateway_id == _gateways.c.id)
    .where(
        _gateways.c.kind.in_(bindparam("heard", expanding=True)),
        ~_gateways.c.is_retired,
        _feeds.c.seen_at <= bindparam("before"),
        ~exists().where(_outages.c.gateway_id == _gateways.c.id, _outages.c.until.is_(None)),
    )
    .order_by(_gateways.c.id)
    .with_for_update(of=_feeds)
)
_OPEN = for_either(_open)
