"""``python -m lab.costs``: what each of the main acts costs, counted, as a table for docs/performance.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from lab.bench.portal import database, prepared
from lab.costs.acts import phones_of
from lab.costs.counting import Costs, counted
from portal.app import create_app
from tests.services.slapd import running_slapd

WARMING, MOST = 3, 40
URL = "https://portal.example.org"


def main() -> int:
    """Print a table for each database."""
    with tempfile.TemporaryDirectory(prefix="arobase-costs-") as name:
        for kind in ("sqlite", "postgresql"):
            print(f"**{kind}**\n")
            print(table(measure(Path(name) / kind, kind)))
            print()
    return 0


def measure(folder: Path, kind: str) -> dict[str, tuple[Costs, int]]:
    """By act, what it costs once everything is built and read, and how long its answer is."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, tuple[Costs, int]] = {}
    with (
        running_slapd(folder / "slapd", log_operations=False) as slapd,
        database(kind, folder) as url,
        prepared(folder, URL, url, ldap=slapd.settings()) as services,
    ):
        phones = phones_of(create_app(services), services, slapd, most=MOST)
        for act, prepare in phones.acts().items():
            for _ in range(WARMING):
                prepare()()
            call = prepare()
            with counted(services.engine) as costs:
                length = call()
            found[act] = costs, length
    return found


def table(found: dict[str, tuple[Costs, int]]) -> str:
    """The figures as Markdown, an act a column."""
    rows: list[tuple[str, list[int]]] = [
        ("statements", [len(costs.statements) for costs, _ in found.values()]),
        ("commits", [costs.commits for costs, _ in found.values()]),
        ("signatures made and verified", [costs.signatures.total() for costs, _ in found.values()]),
        ("bytes of the answer's body", [length for _, length in found.values()]),
        ("Python instructions", [costs.total for costs, _ in found.values()]),
    ]
    owners = sorted({owner for costs, _ in found.values() for owner in costs.instructions})
    rows += [
        (f"of them {each}", [costs.instructions[each] for costs, _ in found.values()]) for each in owners
    ]
    lines = [f"| | {' | '.join(found)} |", f"|---|{'---:|' * len(found)}"]
    lines += [f"| {name} | {' | '.join(f'{value:,}' for value in values)} |" for name, values in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
