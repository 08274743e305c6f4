"""What the parts of an act allow, from the rates measured in the same run, and how near the act comes.

The *composed ceiling* is what the bare parts allow: one commit and one answer, for a sign-in the directory too, which
says its own (`lab.bench.signin`). The *floor* is what the act itself needs of any program: its form, its directory and
its very statements, with nothing between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lab.bench.figures import Figure

# One commit and one answer each.
ACTS = ("passes redeemed", "messages accepted to a lease", "renewals", "Access-Requests")
OF_THE_CEILING, AIM = "of the ceiling", "at least 0.5"
SIGN_IN, STATEMENTS = "patron sign-in", "its statements alone"
FLOOR, OF_THE_FLOOR = "floor", "of the floor"
KINDS = ("sqlite", "postgresql")


def shares(run: Iterable[Figure]) -> Iterator[Figure]:
    """The share of its ceiling, the floor and the share of that, for each act on each database.

    Nothing where the parts were not measured.
    """
    rates = {figure.name: figure.value for figure in run}
    for kind in KINDS:
        for act in ACTS:
            if ceiling := _composed(rates, f"bare commits, {kind}", f"bare answers, {kind}"):
                yield from _share(rates, f"{act}, {kind}", OF_THE_CEILING, ceiling, AIM)
        for act in (SIGN_IN, *ACTS):
            directory = [f"bare directory, {kind}"] if act == SIGN_IN else []
            name = f"{act}, {kind}"
            if floor := _composed(rates, f"bare posts, {kind}", f"{name}, {STATEMENTS}", *directory):
                yield Figure(f"{name}, {FLOOR}", floor, "1/s")
                yield from _share(rates, name, OF_THE_FLOOR, floor)


def _composed(rates: Mapping[str, float], *parts: str) -> float:
    """What they allow together on the same processors; 0 where one of them was not measured."""
    measured = [rates.get(part, 0) for part in parts]
    return 1 / sum(1 / each for each in measured) if all(measured) else 0


def _share(rates: Mapping[str, float], name: str, of: str, whole: float, aim: str = "") -> Iterator[Figure]:
    if name in rates:
        yield Figure(f"{name}, {of}", rates[name] / whole, "", aim)
