"""Puts a past into a database: rows from `life`, written as `store` does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from sqlalchemy import Connection, Engine, update

from db.engine import make_session_maker
from lab.history import store
from lab.history.life import Life
from lab.history.places import creatives, settle
from lab.history.scribe import Scribe
from lab.history.wish import Wish, Written
from sites.models import Feed

# From so many sessions on the indexes are built afterwards.
BULK = 200_000


def write(engine: Engine, wish: Wish, *, tell: Callable[[int], None] = lambda sessions: None) -> Written:
    """Write the past into a database that has the tables; demo town, gateways and announcements come with it.

    `tell` hears of the sessions written so far.
    """
    if wish.sessions < BULK:
        return write_rows(engine, wish, tell=tell)
    with store.in_bulk(engine):
        return write_rows(engine, wish, tell=tell)


def write_rows(engine: Engine, wish: Wish, *, tell: Callable[[int], None] = lambda sessions: None) -> Written:
    """The same, and the indexes are left as they are."""
    with make_session_maker(engine).begin() as db:
        places, shown = settle(db, now=wish.ends), creatives(db)
        ids = store.last_ids(db.connection())
    rng, counted = Random(wish.seed), Counter(dict.fromkeys(store.COLUMNS, 0))
    scribe = Scribe(ids, shown, rng)
    life = Life(wish, places, scribe, rng, first=ids["access_sessions"] + 1)
    for rows in life.rounds():
        with engine.begin() as connection:
            store.trusting(connection)
            store.insert(connection, rows)
        counted.update({table: len(each) for table, each in rows.items()})
        tell(counted["access_sessions"])
    with engine.begin() as connection:
        store.go_on_counting(connection)
        _settle_gateways(connection, scribe.versions, wish)
    return Written(dict(counted))


def _settle_gateways(connection: Connection, versions: dict[int, int], wish: Wish) -> None:
    """Every gateway has taken all its changes, and was heard at the end."""
    for gateway_id, version in versions.items():
        connection.execute(
            update(Feed)
            .where(Feed.gateway_id == gateway_id)
            .values(
                version=Feed.version + version,
                confirmed_version=Feed.version + version,
                seen_at=wish.ends,
            )
        )
