"""A patron's sign-in, from the POST to the committed lease, and the ceiling that its bare parts allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, select

from lab.bench import bare
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun, demand, load
from lab.bench.portal import HOST, RunningPortal, running_portal
from lab.bench.posts import post, send
from lab.doors import LIBRARY
from lab.hotspot import now
from portal.visits import COOKIE_LIFE, VISIT_LIFE
from sessions.models import Lease
from tests.services.postgresql import running_postgresql
from tests.services.slapd import running_slapd

CLIENTS = 16
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

    @property
    def ceiling(self) -> float:
        """What they allow together on the same processors."""
        return 1 / (1 / self.directory + 1 / self.commits + 1 / self.answers)


def measure(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Sign-ins a second on either database, beside the ceiling measured in the same run."""
    demand("slapd", "ldapadd", "wrk", "setpriv")
    with running_slapd(folder / "slapd", log_operations=False) as slapd:
        cards = slapd.seed(WARMING + sizes.patrons)
        for kind in ("sqlite", "postgresql"):
            with _database(kind, folder) as url, _answering(folder / f"answer-{kind}") as answering:

                def bare_parts(url: str = url, kind: str = kind, server: RunningPortal = answering) -> Bare:
                    threads = 1 if kind == "sqlite" else 4
                    return Bare(
                        bare.searches_and_rebinds(slapd.settings(), cards, threads=4, seconds=sizes.seconds),
                        bare.commits(url, threads=threads, seconds=sizes.seconds),
                        load(f"{server.url}/healthz", seconds=1, clients=CLIENTS).per_second,
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
    ):
        value = (getattr(before, part) + getattr(after, part)) / 2
        yield Figure(f"bare {part}, {kind}", value, "1/s", reference=reference)
    yield from figures
    ceiling = (before.ceiling + after.ceiling) / 2
    yield Figure(f"patron sign-in, {kind}, composed ceiling", ceiling, "1/s")
    yield Figure(f"patron sign-in, {kind}, of the ceiling", figures[0].value / ceiling, "", "at least 0.5")


_ANSWERS = "granian: 16,000/s without TLS"
_COMMITS = {"sqlite": "WAL FULL: 4,100/s", "postgresql": "2,000/s"}


def _sign_in(portal: RunningPortal, kind: str, cards: list[bare.Card]) -> Iterator[Figure]:
    forms = [_form(portal, number, card) for number, card in enumerate(cards)]
    _send(portal, forms[:WARMING])
    seconds, waits, errors = _send(portal, forms[WARMING:])
    with portal.services.make_session() as db:
        leases = db.scalar(select(func.count()).select_from(Lease)) or 0
    if leases != len(forms) - errors:
        raise SpoiltRun(f"{kind}: {leases} leases after {len(forms)} sign-ins with {errors} errors")
    rate = len(waits) / seconds
    name = f"patron sign-in, {kind}"
    yield Figure(name, rate, "1/s", "at least 400", "openwisp-radius: 7.5/s")
    yield Figure(f"{name}, p50", percentile(waits, 50) * 1000, "ms", "", "openwisp-radius: 1,050 ms")
    yield Figure(f"{name}, p99", percentile(waits, 99) * 1000, "ms", "under 100", "openwisp-radius: 1,210 ms")
    yield Figure(f"{name}, errors", errors, "", "0")


def _send(portal: RunningPortal, forms: list[bytes]) -> tuple[float, list[float], int]:
    """How long all took, how long each that succeeded took, and how many did not."""
    sent = send(forms, host=HOST, port=portal.port, ca_file=portal.ca_file, clients=CLIENTS)
    answers, seconds = sent.answers, sent.seconds
    good = [each.seconds for each in answers if each.status == HTTPStatus.SEE_OTHER]
    if not good:
        raise SpoiltRun(f"no sign-in succeeded: {answers[0].status}")
    return seconds, good, len(answers) - len(good)


def _form(portal: RunningPortal, number: int, card: bare.Card) -> bytes:
    """What the phone with this number posts: its own visit, its own cookie, its owner's card and PIN."""
    seal, at = portal.services.tokens.seal, now()
    mac = f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    address = f"10.80.{number >> 8 & 255}.{number & 255}"
    browser = f"browser-{number}"
    claims = {"gw": LIBRARY.identity, "mac": mac, "ip": address, "browser": browser}
    visit = seal("visit", claims, now=at, life=VISIT_LIFE)
    cookie = seal("browser", {"browser": browser, "access": None}, now=at, life=COOKIE_LIFE)
    form = urlencode({"visit": visit, "login": card[0], "secret": card[1]}).encode()
    return post("/signin", host=f"{HOST}:{portal.port}", form=form, cookie=f"__Host-arobase={cookie}")


@contextmanager
def _answering(folder: Path) -> Iterator[RunningPortal]:
    """The emptiest application, behind the same server as the portal."""
    database = f"sqlite:///{folder / 'unused.sqlite3'}"
    with running_portal(folder, database, app="lab.bench.answer:app") as server:
        load(f"{server.url}/healthz", seconds=1, clients=CLIENTS)
        yield server


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    with running_postgresql(durable=True) if kind == "postgresql" else nullcontext() as url:
        yield url or f"sqlite:///{folder / 'town.sqlite3'}"
