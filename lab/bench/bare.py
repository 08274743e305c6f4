"""The bare parts that a sign-in is made of, each measured alone with the portal's own number of processes."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count
from urllib.parse import urlsplit

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from auth.patrons.ldap import requests
from auth.patrons.ldap.connection import connect
from auth.patrons.ldap.server import make_context
from config import LdapSettings
from db.engine import make_engine

PROCESSES = 2
COMMITS = Table(
    "bench_commits", MetaData(), Column("id", Integer, primary_key=True), Column("text", String(80))
)
INSERT = insert(COMMITS).values(text="what a lease would say")
Card = tuple[str, str]


class Workers:
    """The processes in which parts are measured, started once for all of them."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn"))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def searches_and_rebinds(
        self, settings: LdapSettings, cards: list[Card], *, threads: int, seconds: float
    ) -> float:
        """One search and one bind as the person on kept, verified TLS connections: how many pairs a second."""
        return self._measured(partial(_directory_work, settings, cards), threads, seconds)

    def commits(self, database_url: str, *, threads: int, seconds: float) -> float:
        """One row inserted and committed, durably: how many a second."""
        engine = make_engine(database_url)
        COMMITS.metadata.create_all(engine)
        engine.dispose()
        return self._measured(partial(_database_work, database_url), threads, seconds)

    def _measured(self, make: Callable[[], Callable[[int], None]], threads: int, seconds: float) -> float:
        # The first round has them import and connect; only the second counts.
        for length in (0.1, seconds):
            rounds = [self._pool.submit(_rate, make, threads, length) for _ in range(PROCESSES)]
            rates = [each.result() for each in rounds]
        return sum(rates)


def _rate(make: Callable[[], Callable[[int], None]], threads: int, seconds: float) -> float:
    works = [make() for _ in range(threads)]
    done = [0] * threads
    started = time.perf_counter()

    def repeat(thread: int) -> None:
        for number in count(thread):
            if time.perf_counter() - started > seconds:
                return
            works[thread](number)
            done[thread] += 1

    running = [threading.Thread(target=repeat, args=(thread,)) for thread in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    return sum(done) / (time.perf_counter() - started)


def _directory_work(settings: LdapSettings, cards: list[Card]) -> Callable[[int], None]:
    searching, proving = _connected(settings), _connected(settings)
    requests.bind(searching, settings.bind_dn, settings.bind_password.reveal().encode())

    def work(number: int) -> None:
        login, pin = cards[number * 7919 % len(cards)]
        found = requests.search(
            searching, settings.base_dn, f"(uid={login})", attributes=("entryUUID",), seconds=5
        )
        proven = requests.bind(proving, found.entries[0].dn, pin.encode())
        assert proven.code == requests.SUCCESS

    return work


def _connected(settings: LdapSettings) -> requests.LdapConnection:
    parts = urlsplit(settings.urls[0])
    line = connect(parts.hostname or "", parts.port or 636, time.monotonic() + 60)
    line.secure(make_context(settings), parts.hostname or "")
    return requests.LdapConnection(line)


def _database_work(database_url: str) -> Callable[[int], None]:
    engine = make_engine(database_url)

    def work(_number: int) -> None:
        with engine.begin() as connection:
            connection.execute(INSERT)

    return work
