"""What the database alone takes for each act: its very statements and commits, through the bare driver."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import func, make_url, select

from auth.patrons.ldap.client import LdapDirectory
from db.engine import make_engine, make_session_maker
from lab.bench import replayed
from lab.bench.bare import PROCESSES, Card
from lab.bench.ceilings import STATEMENTS
from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun, demand
from lab.bench.phones import CLIENTS
from lab.bench.portal import database, prepared
from lab.bench.recorded import Act, alike, recording
from lab.costs.acts import phones_of
from portal.app import create_app
from portal.services import Services
from sessions.models import Lease
from tests.services.slapd import running_slapd

# By its name among the figures, what `lab.costs` calls an act.
ACTS = {
    "patron sign-in": "patron's sign-in",
    "passes redeemed": "pass redeemed",
    "messages accepted to a lease": "message accepted",
    "renewals": "renewal",
}
URL = "https://portal.example.org"
WARMING = 3
# As many as can queue in one of the portal's processes share a commit of SQLite's.
TOGETHER = CLIENTS // PROCESSES


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each act are recorded, and how often they are asked again, each time of a fresh database."""

    acts: int
    rounds: int


def measure(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """How many a second of each act either database could serve on both processors, were there nothing else to do."""
    demand("slapd", "ldapadd", "setpriv")
    most = len(ACTS) * (WARMING + sizes.acts)
    with running_slapd(folder / "slapd", log_operations=False) as slapd, Replaying() as replaying:
        cards = slapd.seed(most + 1)
        for kind in ("sqlite", "postgresql"):
            (folder / kind).mkdir()
            with database(kind, folder / kind) as url:
                with prepared(folder / kind, URL, url, ldap=slapd.settings()) as services:
                    copy, acts = record(services, cards, sizes.acts)
                seconds = dict.fromkeys(acts, 0.0)
                for _ in range(sizes.rounds):
                    for act, rate in replaying.rates(copy, acts).items():
                        seconds[act] += 1 / rate
            for act, total in seconds.items():
                yield Figure(f"{act}, {kind}, {STATEMENTS}", sizes.rounds / total, "1/s")


def record(services: Services, cards: list[Card], count: int) -> tuple[str, dict[str, list[Act]]]:
    """The URL of a copy of the database as it is before, and what `count` of each act ask there."""
    app = create_app(services)
    phones = phones_of(app, services, cards)
    prepare = phones.acts()
    for act in ACTS.values():
        for _ in range(WARMING):
            prepare[act]()()
    calls = {name: [prepare[act]() for _ in range(count)] for name, act in ACTS.items()}
    url = services.settings.database_url
    services.engine.dispose()
    copy = copied(url, "before")
    acts: dict[str, list[Act]] = {}
    with recording(services.engine) as asked:
        for name, each in calls.items():
            acts[name] = []
            for call in each:
                call()
                acts[name].append(list(asked))
                asked.clear()
    assert isinstance(services.directory, LdapDirectory)
    services.directory.close()
    return copy, {name: alike(each) for name, each in acts.items()}


def copied(url: str, name: str) -> str:
    """The URL of a new database, a copy of one to which nobody is connected."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        assert parts.database is not None
        new = parts.set(database=str(Path(parts.database).with_name(f"{name}.sqlite3")))
        with closing(sqlite3.connect(parts.database)) as connection:
            connection.execute("VACUUM INTO ?", (new.database,))
    else:
        new = parts.set(database=name)
        server = parts.set(drivername="postgresql", database="template1")
        with psycopg.connect(server.render_as_string(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {parts.database}")
    return new.render_as_string()


class Replaying:
    """The processes that ask for acts again, all at one time."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        barrier = context.Barrier(PROCESSES)
        self._pool = ProcessPoolExecutor(
            PROCESSES, mp_context=context, initializer=replayed.begin_with, initargs=(barrier,)
        )
        self._copies = count()

    def __enter__(self) -> Replaying:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def rates(self, url: str, acts: dict[str, list[Act]]) -> dict[str, float]:
        """By act, how many a second, on fresh copies of the database at `url`.

        SQLite has one for each process: who waits for a lock needs no processor meanwhile.
        """
        each = PROCESSES if make_url(url).get_backend_name() == "sqlite" else 1
        copies = [copied(url, f"copy_{next(self._copies)}") for _ in range(each)] * (PROCESSES // each)
        found = {}
        for name, all_of_it in acts.items():
            parts = [all_of_it[number::PROCESSES] for number in range(PROCESSES)]
            found[name] = sum(self._pool.map(replayed.rate_apart, copies, parts, [TOGETHER] * PROCESSES))
        leases = sum(map(_leases, set(copies))) - each * _leases(url)
        if leases != (given := sum(map(len, acts.values()))):
            raise SpoiltRun(f"{leases} leases in the database, where {given} acts gave one each")
        return found


def _leases(url: str) -> int:
    engine = make_engine(url)
    with make_session_maker(engine)() as db:
        leases = db.scalar(select(func.count()).select_from(Lease)) or 0
    engine.dispose()
    return leases
