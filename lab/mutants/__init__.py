"""Guards taken out one by one, each with the tests that must go red without it.

The lists beside this file are data: a mutant names a file, a text that stands in it exactly once, what to put in its
place, and the tests. `python -m lab.mutants` makes each change in a copy of the tree and runs them.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "lists"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands once in `file`; with `new` in its place, one of `tests` (pytest's node ids) goes red."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    why: str

    def applied_to(self, text: str) -> str:
        """Raises `ValueError` where the text has moved on and the list has not."""
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{self.file} holds {count} times {self.old!r}")
        return text.replace(self.old, self.new)


def read_lists(folder: Path = LISTS) -> list[Mutant]:
    """All mutants of all lists, by file and then in the order they are written. Raises `TypeError` for a stray key."""
    return [
        Mutant(**{**row, "tests": tuple(row["tests"])})
        for path in sorted(folder.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]


def faults(mutants: list[Mutant], root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the lists, in a sentence each, without running anything."""
    names = [mutant.name for mutant in mutants]
    yield from (f"two mutants are called {name!r}" for name in set(names) if names.count(name) > 1)
    for mutant in mutants:
        yield from (f"{mutant.name}: {fault}" for fault in _faults(mutant, root))


def _faults(mutant: Mutant, root: Path) -> Iterator[str]:
    path = root / mutant.file
    try:
        changed = mutant.applied_to(path.read_text(encoding="utf-8"))
        if path.suffix == ".py":
            ast.parse(changed)
    except (OSError, ValueError, SyntaxError) as error:
        yield str(error)
    if mutant.new == mutant.old or not mutant.tests or not mutant.why:
        yield "it changes nothing, names no test or gives no reason"
    yield from (f"there is no {test}" for test in mutant.tests if not _exists(test, root))


def _exists(test: str, root: Path) -> bool:
    file, _, name = test.partition("::")
    function = re.escape(name.partition("[")[0])
    try:
        text = (root / file).read_text(encoding="utf-8")
    except OSError:
        return False
    return not name or bool(re.search(rf"^(async )?def {function}\(", text, re.MULTILINE))
