"""``python -m lab.bench [--quick] [--keep] [ROW...]``: measure, one JSON object a line; see docs/performance.md."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ads.media.limits import MOST_SECONDS
from lab.bench import (
    acceptances,
    burst,
    ceilings,
    choices,
    comparison,
    creatives,
    ending,
    forwarding,
    kinds,
    leases,
    log,
    pages,
    passes,
    radius,
    signin,
    start,
    statements,
    wire,
)
from lab.bench.figures import Figure, say
from lab.bench.load import MissingPart, SpoiltRun
from lab.namespace import NoNamespaces
from lab.servers import TOP
from lab.waiting import DidNotStart

# The last runs that were committed, whole and quick: what each prints on standard output.
COMMITTED = {False: TOP / "docs" / "bench.jsonl", True: TOP / "docs" / "bench-quick.jsonl"}
# And those that were committed before them.
BEFORE = {quick: file.with_stem(f"{file.stem}-before") for quick, file in COMMITTED.items()}
# They mostly wait, for a gateway that asks or for a lease that ends: a short run has them where they are named.
NOT_QUICK = ("kinds", "ending")
Measure = Callable[[Path], Iterator[Figure]]
# `tests.services` ends a test where a part is missing; here it ends a row.
LACKING = (MissingPart, NoNamespaces, pytest.skip.Exception)
SPOILT = (SpoiltRun, DidNotStart, OSError, AssertionError, subprocess.CalledProcessError)


def rows(*, quick: bool) -> dict[str, Measure]:
    """What can be measured, by name, with the sizes of a whole run or of a short one."""
    patrons, seconds, grants, pairs = (800, 1, 120, 2) if quick else (2000, 3, 220, 8)
    sizes = signin.Sizes(patrons=patrons, seconds=0.5 if quick else 2)
    leases_held = (1, 1000, 100_000)
    return {
        "start": lambda folder: start.measure(folder, rounds=3 if quick else 10),
        "signin": lambda folder: signin.measure(folder, sizes),
        "passes": lambda folder: passes.measure(folder, pass_sizes(quick=quick)),
        "statements": lambda folder: statements.measure(
            folder, statements.Sizes(acts=120, rounds=2) if quick else statements.Sizes(acts=600, rounds=3)
        ),
        "acceptances": lambda folder: acceptances.measure(folder, count=1000 if quick else 2000),
        "choices": lambda folder: choices.measure(folder, seconds=seconds, seeds=1 if quick else 3),
        "creatives": lambda folder: creatives.measure(
            folder, seconds=seconds, film_seconds=5 if quick else MOST_SECONDS
        ),
        "pages": lambda folder: pages.measure(folder, seconds=seconds),
        "wire": wire.measure,
        "radius": lambda folder: radius.measure(folder, sessions=400 if quick else 4000),
        "kinds": lambda folder: kinds.measure(folder, rounds=1 if quick else 5),
        "leases": lambda folder: leases.measure(
            folder, grants=grants, quiet=0 if quick else 5, seconds=seconds
        ),
        "ending": lambda folder: ending.measure(
            folder, rounds=1 if quick else 3, lease_seconds=20 if quick else 40
        ),
        "burst": lambda folder: burst.measure(folder, rounds=1 if quick else 3),
        "log-sqlite": lambda folder: log.measure(folder, "sqlite", log_sizes("sqlite", quick=quick)),
        "log-postgresql": lambda folder: log.measure(
            folder, "postgresql", log_sizes("postgresql", quick=quick)
        ),
        "forwarding": lambda folder: forwarding.measure(folder, sizes=leases_held, pairs=pairs, seconds=1),
    }


def pass_sizes(*, quick: bool) -> passes.Sizes:
    """Batches and documents are always as large as a desk may order them."""
    return passes.Sizes(redeems=1200, rounds=1) if quick else passes.Sizes(redeems=2000, rounds=3)


def log_sizes(kind: str, *, quick: bool) -> log.Sizes:
    """A year of one town, and on PostgreSQL of ten."""
    if quick:
        return log.Sizes(sessions=6_000, looks=5, clients=20, reports=3, purge_seconds=0.5, days=2)
    sessions = 10_000_000 if kind == "postgresql" else 1_000_000
    return log.Sizes(sessions=sessions, looks=100, clients=100, reports=20, purge_seconds=10.0)


def main() -> int:
    """Exit status 1 when a row had to be left out or was spoilt, or became slower: each is named on standard error."""
    parser = argparse.ArgumentParser(prog="python -m lab.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, for a look in a minute")
    parser.add_argument("--keep", action="store_true", help="put the run in the place of the committed one")
    parser.add_argument(
        "--check", action="store_true", help="measure nothing: what the committed run has slower"
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these: " + ", ".join(rows(quick=True)))
    chosen = parser.parse_args()
    if chosen.check:
        return check()
    if chosen.keep and chosen.rows:
        parser.error("--keep is for a run of all rows")
    measures = rows(quick=chosen.quick)
    if unknown := set(chosen.rows) - measures.keys():
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    all_rows = [name for name in measures if not chosen.quick or name not in NOT_QUICK]
    wanted = {name: measures[name] for name in chosen.rows or all_rows}
    run: list[Figure] = []
    results = [_row(name, measure, run) for name, measure in wanted.items()]
    run.extend(say(list(ceilings.shares(run))))
    compared = comparison.compare(comparison.read(COMMITTED[chosen.quick]), run)
    if compared:
        print(comparison.table(compared), file=sys.stderr)
    if chosen.keep and all(results):
        comparison.keep(run, before=BEFORE[chosen.quick], now=COMMITTED[chosen.quick])
    elif chosen.keep:
        print("not kept: rows are missing", file=sys.stderr)
    return 0 if all(results) and not any(one.is_slower for one in compared) else 1


def check() -> int:
    """Exit status 1 where a committed run, whole or quick, has a row slower than the one committed before it."""
    slower = [one for quick in COMMITTED for one in comparison.regressed(BEFORE[quick], COMMITTED[quick])]
    if slower:
        print(comparison.table(slower), file=sys.stderr)
    return 1 if slower else 0


def _row(name: str, measure: Measure, run: list[Figure]) -> bool:
    with tempfile.TemporaryDirectory(prefix=f"arobase-bench-{name}-") as folder:
        try:
            run.extend(say(measure(Path(folder))))
        except LACKING as lacking:
            print(f"{name} is left out: {lacking}", file=sys.stderr)
            return False
        except SPOILT as spoilt:
            print(f"{name} is spoilt: {type(spoilt).__name__}: {spoilt}", file=sys.stderr)
            return False
    return True
