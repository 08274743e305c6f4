"""Gateways that wait for news without a thread each: one thread looks at the feeds' versions for all of them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from db.engine import SessionMaker, reading
from db.notify import CommitNotifier
from sites.gateways import feed_versions

log = logging.getLogger(__name__)

# How long a look may be late where a wake-up call was lost.
LOOK_SECONDS = 1.0
# An agent follows by one line; after a cut it may have a second one before the first is known to be dead.
MOST_OF_ONE = 4
MOST = 2048


class TooManyFollowers(Exception):
    """This gateway, or all of them together, follow by more lines than there can be need for."""


@dataclass(frozen=True, slots=True, eq=False)
class Follower:
    """One line that waits: the version it has, and what to set when the feed has another."""

    gateway_id: int
    since: int
    loop: asyncio.AbstractEventLoop
    news: asyncio.Event

    def tell(self) -> None:
        self.loop.call_soon_threadsafe(self.news.set)


class Followers:
    """The followers of this process. The thread runs only while there are any.

    `keep_ready` is called about once a second meanwhile: for what the answer to the first news after a quiet night
    would have to read first.
    """

    def __init__(
        self, make_session: SessionMaker, wake: CommitNotifier, keep_ready: Callable[[], None]
    ) -> None:
        self._make_session = make_session
        self._wake = wake
        self._keep_ready = keep_ready
        self._lock = threading.Lock()
        self._waiting: set[Follower] = set()
        self._looking = False

    @property
    def seen(self) -> int:
        """Read this before looking at the feed; give it to `news` when the look found nothing."""
        return self._wake.count

    async def news(self, gateway_id: int, *, since: int, seen: int, seconds: float) -> None:
        """Wait until the feed of this gateway may have another version than `since`, at most so long.

        Raises `TooManyFollowers` at once.
        """
        follower = Follower(gateway_id, since, asyncio.get_running_loop(), asyncio.Event())
        with self._joined(follower):
            if self._wake.count != seen:
                # Something was committed between the look and now: look again.
                return
            try:
                await asyncio.wait_for(follower.news.wait(), seconds)
            except TimeoutError:
                return

    @contextmanager
    def _joined(self, follower: Follower) -> Iterator[None]:
        with self._lock:
            lines = Counter(each.gateway_id for each in self._waiting)
            if lines[follower.gateway_id] >= MOST_OF_ONE or len(self._waiting) >= MOST:
                raise TooManyFollowers
            self._waiting.add(follower)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="followers", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(follower)

    def _look(self) -> None:
        try:
            while self._look_once():
                pass
        except Exception:
            # Followers look again at their own timeout; the next one starts the thread anew.
            log.exception("the feed watcher's thread stopped")
            self._looking = False

    def _look_once(self) -> bool:
        """Wake the followers with news, then wait for a commit; False once there are none."""
        seen = self._wake.count
        versions = self._versions()
        with self._lock:
            if not self._waiting:
                self._looking = False
                return False
            outdated = [one for one in self._waiting if versions.get(one.gateway_id) != one.since]
        for follower in outdated:
            follower.tell()
        if not outdated:
            self._prepare()
        self._wake.wait(seen, LOOK_SECONDS)
        return True

    def _prepare(self) -> None:
        try:
            self._keep_ready()
        except SQLAlchemyError as error:
            log.warning("gateways cannot be read: %s", type(error).__name__)

    def _versions(self) -> dict[int, int]:
        """The version of every feed; empty where the database is away: followers then look, and get the error."""
        try:
            with reading(self._make_session) as db:
                return feed_versions(db)
        except SQLAlchemyError as error:
            log.warning("feed versions cannot be read: %s", type(error).__name__)
            return {}
