"""``python -m lab.costs > docs/costs.md``: what each of the main acts costs, counted, as a page.

With ``--functions ACT``, where the instructions of one act are, function by function, and its statements. With
``--processor``, the milliseconds of processor time that an act takes, C and the kernel's part included: those depend
on the machine, and are for comparing two versions side by side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from auth.patrons.ldap.client import LdapDirectory
from lab.bench.portal import database, prepared
from lab.costs import agents
from lab.costs.acts import phones_of
from lab.costs.counting import Costs, counted
from lab.costs.packets import DOOR, Packets
from lab.doors import LIBRARY, STATION
from portal.app import create_app
from portal.services import Services
from tests.services.slapd import running_slapd

WARMING, COUNTED, MOST = 3, 3, 200
# Of each act, for the processor time.
TIMED, ACTS = 300, 8
Acts = dict[str, Callable[[], Callable[[], int]]]
URL = "https://portal.example.org"
STATEMENTS, INSTRUCTIONS = "statements", "Python instructions"
KINDS, ROWS = ("sqlite", "postgresql"), 5
HEAD = """# What the main acts cost, counted

One request each, on a town that is warm, by `python -m lab.costs`: the same on every machine, however busy. Packets of
RADIUS are answered together, and counted by sixteen.
Instructions are those of the interpreter (Python {version}); what C does between them, such as the disk at a commit, is
not in them. `make test` compares the page with what it counts, and is red where an act has become dearer by more than a
twentieth or asks the database once more: make the page anew then, and say why."""


def main() -> int:
    """Print the page, or what was asked for in its place."""
    parser = argparse.ArgumentParser(prog="python -m lab.costs", description=__doc__)
    parser.add_argument("--functions", metavar="ACT", help="the functions and statements of one act")
    parser.add_argument("--processor", action="store_true", help="milliseconds of each act on this machine")
    asked = parser.parse_args()
    if not (asked.functions or asked.processor):
        print(HEAD.format(version=f"{sys.version_info.major}.{sys.version_info.minor}"))
    with tempfile.TemporaryDirectory(prefix="arobase-costs-") as name:
        for kind in KINDS:
            folder = Path(name) / kind
            print(f"\n## {kind}\n")
            if asked.functions:
                print(listing(measure(folder, kind)[asked.functions][0]))
            elif asked.processor:
                for act, spent in processor_time(folder, kind).items():
                    print(f"{spent * 1000:7.2f} ms  {act}")
            else:
                print(table(measure(folder, kind)))
    return 0


def measure(folder: Path, kind: str) -> dict[str, tuple[Costs, int]]:
    """By act, what it costs once everything is built and read, and how long its answer is."""
    found: dict[str, tuple[Costs, int]] = {}
    with town(folder, kind, most=MOST) as (services, acts):
        for act, prepare in acts.items():
            for _ in range(WARMING):
                prepare()()
            # On a slow machine what is remembered for two seconds may be forgotten before the count has ended.
            times = [_count(services, prepare) for _ in range(COUNTED)]
            found[act] = min(times, key=lambda time: time[0].total)
    return found


def _count(services: Services, prepare: Callable[[], Callable[[], int]]) -> tuple[Costs, int]:
    call = prepare()
    services.places.forget()
    services.places.gateways()
    prepare()()
    with counted(services.engine) as costs:
        length = call()
    return costs, length


def processor_time(folder: Path, kind: str) -> dict[str, float]:
    """By act, the seconds of this thread's processor time that one takes: the median of many."""
    found: dict[str, float] = {}
    with town(folder, kind, most=(TIMED + WARMING) * ACTS) as (_, acts):
        for act, prepare in acts.items():
            spent = []
            for call in [prepare() for _ in range(WARMING + TIMED)]:
                before = time.thread_time()
                call()
                spent.append(time.thread_time() - before)
            found[act] = median(spent[WARMING:])
    return found


@contextmanager
def town(folder: Path, kind: str, *, most: int) -> Iterator[tuple[Services, Acts]]:
    """The application on a town of its own, and what prepares each act there, up to `most` in all."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        running_slapd(folder / "slapd", log_operations=False) as slapd,
        database(kind, folder) as url,
        prepared(
            folder, URL, url, ldap=slapd.settings(), doors=(STATION, LIBRARY, DOOR, *agents.DOORS)
        ) as services,
    ):
        app = create_app(services)
        phones = phones_of(app, services, slapd.seed(most + 1))
        yield services, phones.acts() | Packets(app, services).acts() | agents.acts(app, services)
        assert isinstance(services.directory, LdapDirectory)
        services.directory.close()


def listing(costs: Costs) -> str:
    """The functions of one act, the dearest first, and its statements in their order."""
    lines = [f"{count:7,}  {name}" for name, count in costs.functions.most_common()]
    return "\n".join([*lines, "", *(" ".join(each.split()) for each in costs.statements)])


def table(found: dict[str, tuple[Costs, int]]) -> str:
    """The figures as Markdown, an act a column."""
    rows: list[tuple[str, list[int]]] = [
        (STATEMENTS, [len(costs.statements) for costs, _ in found.values()]),
        ("commits", [costs.commits for costs, _ in found.values()]),
        ("signatures made and verified", [costs.signatures.total() for costs, _ in found.values()]),
        ("bytes of the answer's body", [length for _, length in found.values()]),
        (INSTRUCTIONS, [costs.total for costs, _ in found.values()]),
    ]
    owners = sorted({owner for costs, _ in found.values() for owner in costs.instructions})
    rows += [
        (f"of them {each}", [costs.instructions[each] for costs, _ in found.values()]) for each in owners
    ]
    lines = [f"| | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    lines += [f"| {name} | {' | '.join(f'{value:,}' for value in values)} |" for name, values in rows]
    return "\n".join(lines)


def read_table(page: str, kind: str) -> dict[str, dict[str, int]]:
    """The figures of a page, by act and row."""
    lines = [
        line.strip("| ").split(" | ")
        for line in page.partition(f"## {kind}\n")[2].splitlines()
        if "|" in line
    ]
    acts, rows = lines[0], lines[2 : 2 + ROWS]
    return {
        act: {row[0]: int(row[at].replace(",", "")) for row in rows} for at, act in enumerate(acts, start=1)
    }


if __name__ == "__main__":
    sys.exit(main())
