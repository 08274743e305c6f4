"""A patron's sign-in, from the POST to the committed lease, and the ceiling that its bare parts allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.bench import bare
from lab.bench.ceilings import AIM, OF_THE_CEILING
from lab.bench.figures import Figure, percentile
from lab.bench.load import demand, load
from lab.bench.phones import CLIENTS, count_leases, form, let_in
from lab.bench.portal import RunningPortal, database, running_portal
from tests.services.slapd import running_slapd

WARMING = 200


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many patrons sign in, and for how many seconds each bare part is measured."""

    patrons: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bare:
    """What the parts of a sign-in reach alone, each a second."""

    directory: float
    commits: float
    answers: float
    posts: float

    @property
    def ceiling(self) -> float:
        """What they allow together on the same processors."""
        return 1 / (1 / self.directory + 1 / self.commits + 1 / self.answers)


def measure(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Sign-ins a second on either database, beside the ceiling measured in the same run."""
    demand("slapd", "ldapadd", "wrk", "setpriv")
    with (
        running_slapd(folder / "slapd", log_operations=False) as slapd,
        bare.Workers() as workers,
        _answering(folder / "answer") as answering,
    ):
        cards = slapd.seed(WARMING + sizes.patrons)
        posts = _forms(answering, cards)
        for kind in ("sqlite", "postgresql"):
            with database(kind, folder) as url:

                def bare_parts(url: str = url, kind: str = kind) -> Bare:
                    threads = 1 if kind == "sqlite" else 4
                    return Bare(
                        workers.searches_and_rebinds(
                            slapd.settings(), cards, threads=4, seconds=sizes.seconds
                        ),
                        workers.commits(url, threads=threads, seconds=sizes.seconds),
                        load(f"{answering.url}/healthz", seconds=1, clients=CLIENTS).per_second,
                        _post(answering, posts),
                    )

                with running_portal(folder / kind, url, ldap=slapd.settings()) as portal:
                    yield from _beside(kind, bare_parts, partial(_sign_in, portal, kind, cards))


def _beside(
    kind: str, bare_parts: Callable[[], Bare], sign_in: Callable[[], Iterator[Figure]]
) -> Iterator[Figure]:
    """The sign-ins between two measurements of their parts: what else the machine does must meet both."""
    before, figures, after = bare_parts(), list(sign_in()), bare_parts()
    for part, reference in (
        ("directory", "LDAPS, kept: 1,398/s"),
        ("commits", _COMMITS[kind]),
        ("answers", _ANSWERS),
        ("posts", ""),
    ):
        value = (getattr(before, part) + getattr(after, part)) / 2
        yield Figure(f"bare {part}, {kind}", value, "1/s", reference=reference)
    yield from figures
    ceiling = (before.ceiling + after.ceiling) / 2
    yield Figure(f"patron sign-in, {kind}, composed ceiling", ceiling, "1/s")
    yield Figure(f"patron sign-in, {kind}, {OF_THE_CEILING}", figures[0].value / ceiling, "", AIM)


_ANSWERS = "granian: 16,000/s without TLS"
_COMMITS = {"sqlite": "WAL FULL: 4,100/s", "postgresql": "2,000/s"}


def _sign_in(portal: RunningPortal, kind: str, cards: list[bare.Card]) -> Iterator[Figure]:
    forms = _forms(portal, cards)
    let_in(portal, forms[:WARMING])
    signed_in = let_in(portal, forms[WARMING:])
    count_leases(portal.services.make_session, len(forms) - signed_in.errors)
    name, waits = f"patron sign-in, {kind}", signed_in.waits
    yield Figure(name, len(waits) / signed_in.seconds, "1/s", "at least 400", "openwisp-radius: 7.5/s")
    yield Figure(f"{name}, p50", percentile(waits, 50) * 1000, "ms", "", "openwisp-radius: 1,050 ms")
    yield Figure(f"{name}, p99", percentile(waits, 99) * 1000, "ms", "under 100", "openwisp-radius: 1,210 ms")
    yield Figure(f"{name}, errors", signed_in.errors, "", "0")


def _forms(portal: RunningPortal, cards: list[bare.Card]) -> list[bytes]:
    return [
        form(portal, "/signin", number, {"login": card[0], "secret": card[1]})
        for number, card in enumerate(cards)
    ]


def _post(answering: RunningPortal, forms: list[bytes]) -> float:
    taken = let_in(answering, forms)
    return len(taken.waits) / taken.seconds


@contextmanager
def _answering(folder: Path) -> Iterator[RunningPortal]:
    """The emptiest application, behind the same server as the portal."""
    unused = f"sqlite:///{folder / 'unused.sqlite3'}"
    with running_portal(folder, unused, app="lab.bench.answer:app") as server:
        load(f"{server.url}/healthz", seconds=1, clients=CLIENTS)
        yield server
