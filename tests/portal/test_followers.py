"""What is ready for the first answer after a quiet night, while gateways follow their feeds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, event

from db.engine import SessionMaker
from db.notify import CommitNotifier
from portal.caches.creatives import CreativeCache
from portal.caches.gateways import GatewayCache
from portal.gateway_api.followers import Followers
from tests.clock import NOON
from tests.loops import run
from tests.town import build_town

PATIENCE_SECONDS = 10.0


def test_what_an_answer_needs_is_kept_ready_while_a_gateway_waits(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        station = build_town(db).station
        number, version = station.id, station.feed_version
    is_ready = threading.Event()
    engine = make_session.kw["bind"]

    async def wait() -> None:
        with closing(CommitNotifier(engine)) as wake:
            followers = Followers(make_session, wake, is_ready.set)
            line = followers.news(number, since=version, seen=followers.seen, seconds=PATIENCE_SECONDS)
            waiting = asyncio.create_task(line)
            assert await asyncio.to_thread(is_ready.wait, PATIENCE_SECONDS)
            assert not waiting.done()
            waiting.cancel()
            await asyncio.wait([waiting])
            # It looks once more, and ends: no connection of its own outlives the database.
            for thread in threading.enumerate():
                if thread.name == "followers":
                    await asyncio.to_thread(thread.join, PATIENCE_SECONDS)

    run(wait())


def test_gateways_are_read_before_they_are_asked_for_unless_that_takes_long(
    make_session: SessionMaker,
) -> None:
    with make_session.begin() as db:
        identity = build_town(db).station.identity
    read = counted(make_session.kw["bind"])
    cache = GatewayCache(make_session)
    cache.keep_fresh()
    assert read
    before = len(read)
    assert cache.by_identity(identity) is not None
    cache.keep_fresh()
    assert len(read) == before
    cache.forget()
    cache._took = 1.0
    cache.keep_fresh()
    assert len(read) == before


def test_what_all_need_who_come_together_is_read_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        identity = build_town(db).station.identity
    places, stage = GatewayCache(make_session), CreativeCache(make_session, ZoneInfo("Europe/Paris"))
    read = counted(make_session.kw["bind"])

    def ask() -> None:
        assert places.by_identity(identity) is not None
        stage.override("gare-viotte", now=NOON)

    for cache in (places, stage):
        ask()
        before = len(read)
        cache.forget()
        ask()
        once = len(read) - before
        for _ in range(5):
            cache.forget()
            together(ask)
        assert len(read) - before == 6 * once > 0


def together(ask: Callable[[], None]) -> None:
    """Eight threads at the same moment."""
    start = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        for asked in [pool.submit(lambda: (start.wait(), ask())) for _ in range(8)]:
            asked.result()


def counted(engine: Engine) -> list[str]:
    """The statements from now on."""
    found: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", executed)
    return found
