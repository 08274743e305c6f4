"""``python -m lab.costs > docs/costs.md``: what each of the main acts costs, counted, as a page."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from auth.patrons.ldap.client import LdapDirectory
from lab.bench.portal import database, prepared
from lab.costs.acts import phones_of
from lab.costs.counting import Costs, counted
from lab.costs.packets import DOOR, Packets
from lab.doors import LIBRARY, STATION
from portal.app import create_app
from tests.services.slapd import running_slapd

WARMING, MOST = 3, 80
URL = "https://portal.example.org"
STATEMENTS, INSTRUCTIONS = "statements", "Python instructions"
KINDS, ROWS = ("sqlite", "postgresql"), 5
HEAD = """# What the main acts cost, counted

One request each, on a town that is warm, by `python -m lab.costs`: the same on every machine, however busy.
Instructions are those of the interpreter (Python {version}); what C does between them, such as the disk at a commit, is
not in them. `make test` compares the page with what it counts, and is red where an act has become dearer by more than a
twentieth or asks the database once more: make the page anew then, and say why."""


def main() -> int:
    """Print the page."""
    print(HEAD.format(version=f"{sys.version_info.major}.{sys.version_info.minor}"))
    with tempfile.TemporaryDirectory(prefix="arobase-costs-") as name:
        for kind in KINDS:
            print(f"\n## {kind}\n\n{table(measure(Path(name) / kind, kind))}")
    return 0


def measure(folder: Path, kind: str) -> dict[str, tuple[Costs, int]]:
    """By act, what it costs once everything is built and read, and how long its answer is."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, tuple[Costs, int]] = {}
    with (
        running_slapd(folder / "slapd", log_operations=False) as slapd,
        database(kind, folder) as url,
        prepared(folder, URL, url, ldap=slapd.settings(), doors=(STATION, LIBRARY, DOOR)) as services,
    ):
        app = create_app(services)
        phones, packets = phones_of(app, services, slapd, most=MOST), Packets(app, services)
        for act, prepare in (phones.acts() | packets.acts()).items():
            for _ in range(WARMING):
                prepare()()
            call = prepare()
            # What is remembered for two seconds is remembered now, however slow the machine.
            prepare()()
            services.places.forget()
            services.places.gateways()
            with counted(services.engine) as costs:
                length = call()
            found[act] = costs, length
        assert isinstance(services.directory, LdapDirectory)
        services.directory.close()
    return found


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
