"""Day passes: redeemed at the portal, issued ten thousand at a time, and printed."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import select

from auth.audit.actor import SYSTEM
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.keys import VoucherKeys
from config import Secret
from db.engine import SessionMaker, make_engine, make_session_maker
from lab.bench.figures import Figure, percentile
from lab.bench.memory import peak_bytes, resident_bytes
from lab.bench.phones import count_leases, form, let_in
from lab.bench.portal import RunningPortal, database, running_portal
from lab.bench.processor import own_seconds, seconds_of
from lab.doors import LIBRARY
from lab.hotspot import now
from portal.printing.from_vouchers import slips
from portal.printing.papers import Paper
from portal.printing.sheets import print_pdf
from sites.models import Network, Site

MEGABYTE = 1_000_000
PLAN = "day"
# Of the large batch, the small one beside it has a tenth.
PART = 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """Passes that are redeemed, of them for warming; passes of a large batch; tickets of a document; rounds of both."""

    redeems: int
    rounds: int
    warming: int = 200
    batch: int = issuing.MOST_IN_A_BATCH
    tickets: int = 1_000


@dataclass(frozen=True, slots=True)
class Batches:
    """Seconds to issue and commit a large batch and one of a tenth, each the median, the processor's of the large one
    (the process's own), and what the first large one added to the peak of the process, in bytes."""

    large: float
    small: float
    processor: float
    added: int


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of the processor."""

    clock: float
    processor: float


def measure(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Redeems a second and batches on either database; then a document, which asks no database."""
    for kind in ("sqlite", "postgresql"):
        with database(kind, folder) as url, running_portal(folder / kind, url) as portal:
            yield from _redeem(portal, kind, sizes)
            yield from _batch(url, kind, sizes)
            if kind == "sqlite":
                document = list(_print(portal, sizes))
    yield from document


def _redeem(portal: RunningPortal, kind: str, sizes: Sizes) -> Iterator[Figure]:
    codes = _issue_first(portal, sizes.warming + sizes.redeems).codes
    forms = [form(portal, "/pass", number, {"code": code}) for number, code in enumerate(codes)]
    let_in(portal, forms[: sizes.warming])
    before = seconds_of(portal.process.pid)
    redeemed = let_in(portal, forms[sizes.warming :])
    processor = (seconds_of(portal.process.pid) - before) / sizes.redeems
    count_leases(portal.services.make_session, len(forms) - redeemed.errors)
    name = f"passes redeemed, {kind}"
    yield Figure(name, len(redeemed.waits) / redeemed.seconds, "1/s", "at least 600")
    yield Figure(f"{name}, p50", percentile(redeemed.waits, 50) * 1000, "ms")
    yield Figure(f"{name}, p99", percentile(redeemed.waits, 99) * 1000, "ms")
    yield Figure(f"{name}, processor time in the portal", processor * 1000, "ms")
    yield Figure(f"{name}, errors", redeemed.errors, "", "0")


def _batch(url: str, kind: str, sizes: Sizes) -> Iterator[Figure]:
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as pool:
        batches = pool.submit(_issue_many, url, sizes.batch, sizes.rounds).result()
    small = sizes.batch // PART
    growth = batches.large / sizes.batch / (batches.small / small)
    name = f"batch, {kind}"
    yield Figure(f"{name}, {sizes.batch:,} passes", batches.large, "s", "under 2")
    yield Figure(f"{name}, {sizes.batch:,} passes, processor time", batches.processor, "s")
    yield Figure(f"{name}, {sizes.batch:,} against {small:,} per pass", growth, "", "about 1: linear")
    yield Figure(f"{name}, memory added", batches.added / MEGABYTE, "MB", "under 100")


def _print(portal: RunningPortal, sizes: Sizes) -> Iterator[Figure]:
    """From the codes to the PDF, with the start of the press; each ticket has both its QR codes."""
    issued = _issue_first(portal, sizes.tickets)
    with portal.services.make_session() as db:
        site = db.scalars(select(Site).where(Site.slug == LIBRARY.site)).one()
        network = db.scalars(select(Network).where(Network.slug == LIBRARY.network)).one()
    rounds, name = [], f"PDF of {sizes.tickets:,} tickets"
    for _ in range(sizes.rounds):
        started, had = time.perf_counter(), own_seconds()
        tickets = slips(
            issued.tickets,
            batch=issued.batch,
            network=network,
            site=site,
            portal_url=portal.url,
            languages=("fr", "en"),
        )
        document = print_pdf(tickets, paper=Paper.A4)
        rounds.append(Took(time.perf_counter() - started, own_seconds() - had))
    yield Figure(f"{name}, two QR codes each", median(took.clock for took in rounds), "s", "under 2")
    yield Figure(f"{name}, processor time", median(took.processor for took in rounds), "s")
    yield Figure(f"{name}, its size", len(document) / MEGABYTE, "MB")


def _issue_first(portal: RunningPortal, count: int) -> IssuedBatch:
    """A batch of a town that may have had no plans so far."""
    with portal.services.make_session.begin() as db:
        plans.add_first_plans(db)
    return _issue(portal.services.make_session, portal.services.voucher_keys, count)


def _issue_many(url: str, count: int, rounds: int) -> Batches:
    """Runs in a process of its own, so that its peak is of these batches alone."""
    engine = make_engine(url)
    make_session, keys = make_session_maker(engine), VoucherKeys(Secret("of the bench"))
    # Connected, and every statement built.
    _issue(make_session, keys, 1)
    before = resident_bytes(os.getpid())
    large = [_timed(make_session, keys, count)]
    added = peak_bytes(os.getpid()) - before
    small = [_timed(make_session, keys, count // PART)]
    for _ in range(rounds - 1):
        large.append(_timed(make_session, keys, count))
        small.append(_timed(make_session, keys, count // PART))
    engine.dispose()
    return Batches(
        large=median(took.clock for took in large),
        small=median(took.clock for took in small),
        processor=median(took.processor for took in large),
        added=added,
    )


def _timed(make_session: SessionMaker, keys: VoucherKeys, count: int) -> Took:
    started, had = time.perf_counter(), own_seconds()
    _issue(make_session, keys, count)
    return Took(time.perf_counter() - started, own_seconds() - had)


def _issue(make_session: SessionMaker, keys: VoucherKeys, count: int) -> IssuedBatch:
    """What a desk does that orders these, up to the commit."""
    with make_session.begin() as db:
        order = Order(count, LIBRARY.site)
        return issuing.issue(
            db, keys=keys, plan=plans.by_slug(db, PLAN), order=order, actor=SYSTEM, now=now()
        )
