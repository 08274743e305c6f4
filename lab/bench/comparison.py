"""A run of the bench beside the last one that was committed: what became slower by more than a tenth.

Machines differ, and one machine from hour to hour. So rates and times are compared as ratios to what bare parts reached
in the same run; sizes, shares and counts as they are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.bench.ceilings import FLOOR, OF_THE_FLOOR, STATEMENTS
from lab.bench.figures import Figure, line

# Parts alone, which are not compared.
BARE = "bare "
# Those that tell how fast the machine is: nothing of ours is changed in them. What comes through the front is faster
# when the front is, and all other rows would look slower for it.
OF_THE_MACHINE = "bare directory", "bare commits"
TIMES, RATES = ("s", "ms"), ("1/s",)
# How far a delivery is from its goal: nearer to nothing is better, and a ratio says nothing.
SHARES = "%"
# What an act asks, without the act: an act that asks less is nearer to what it could be at most, and none the worse.
WITHOUT_THE_ACT = STATEMENTS, FLOOR, OF_THE_FLOOR
SLOWER = 1.1
# The longest waits of one run: on the same code they differ from run to run by a factor of two.
TAILS = re.compile(r"\b(p95|p99|longest of \d+|highest)\b")


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both runs. `change` is how many times as good the old one is: above 1, it became worse."""

    name: str
    unit: str
    old: float
    new: float
    change: float

    @property
    def is_slower(self) -> bool:
        return self.change > SLOWER


def read(file: Path) -> list[Figure]:
    """The figures of a run as it was printed. Nothing where there is no such file."""
    if not file.exists():
        return []
    lines = map(json.loads, filter(None, file.read_text(encoding="utf-8").splitlines()))
    return [Figure(**line) for line in lines]


def regressed(before: Path, now: Path) -> list[Compared]:
    """What the release check is red for: the rows that a committed run has slower than the one committed before it.

    Neither those that it says to be accepted, nor the longest waits. Nothing where there is no run before.
    """
    figures = read(now)
    accepted = {figure.name for figure in figures if figure.accepted}
    return [
        one
        for one in compare(read(before), figures)
        if one.is_slower and one.name not in accepted and not TAILS.search(one.name)
    ]


def keep(run: Iterable[Figure], *, before: Path, now: Path) -> None:
    """Put this run in the place of the committed one, and that one in the place of the one before it."""
    if now.exists():
        now.replace(before)
    now.write_text("".join(line(figure) + "\n" for figure in run), encoding="utf-8")


def compare(old: Iterable[Figure], new: Iterable[Figure]) -> list[Compared]:
    """The figures that both runs have, in the order of the new one; the bare parts are what they are measured by."""
    before = {figure.name: figure for figure in old}
    after = [figure for figure in new if figure.name in before]
    machine = _machine(before, after)
    return list(_compared(before, after, machine))


def table(compared: Iterable[Compared]) -> str:
    """A line for each figure: old, new, and a word where it became slower."""
    lines = [f"{'':62}{'committed':>12}{'now':>12}  ratio to the bare parts"]
    for one in compared:
        word = "  SLOWER" if one.is_slower else ""
        figures = f"{one.old:>12,.4g}{one.new:>12,.4g}"
        lines.append(f"{one.name[:60]:62}{figures}  {1 / one.change:.2f} of before{word}")
    return "\n".join(lines)


def _machine(before: dict[str, Figure], after: list[Figure]) -> float:
    """How many times as fast the machine is now, by the geometric mean of bare rates; 1 where none was measured."""
    ratios = [
        figure.value / before[figure.name].value
        for figure in after
        if figure.name.startswith(OF_THE_MACHINE)
        and figure.unit in RATES
        and figure.value
        and before[figure.name].value
    ]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0


def _compared(before: dict[str, Figure], after: list[Figure], machine: float) -> Iterator[Compared]:
    for figure in after:
        old, new = before[figure.name].value, figure.value
        if figure.name.startswith(BARE) or figure.unit.startswith(SHARES):
            continue
        if figure.name.endswith(WITHOUT_THE_ACT):
            continue
        if old == new:
            change = 1.0
        elif not old or not new:
            change = math.inf if bool(new) != _more_is_better(figure) else 1 / SLOWER
        elif _more_is_better(figure):
            change = old * (machine if figure.unit in RATES else 1) / new
        else:
            change = new * (machine if figure.unit in TIMES else 1) / old
        yield Compared(figure.name, figure.unit, old, new, change)


def _more_is_better(figure: Figure) -> bool:
    return figure.unit in RATES or figure.aim.startswith(("at least", ">="))
