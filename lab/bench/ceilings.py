"""What the bare parts of an act allow, from the rates measured in the same run, and how near the act comes.

A sign-in asks the directory too, and says its own (`lab.bench.signin`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.bench.figures import Figure

# One commit and one answer each.
ACTS = ("passes redeemed", "messages accepted to a lease", "renewals", "Access-Requests")
OF_THE_CEILING, AIM = "of the ceiling", "at least 0.5"


def shares(run: Iterable[Figure]) -> Iterator[Figure]:
    """The share of its ceiling for each act on each database. Nothing where the parts were not measured."""
    rates = {figure.name: figure.value for figure in run}
    for act in ACTS:
        for kind in ("sqlite", "postgresql"):
            needed = f"{act}, {kind}", f"bare commits, {kind}", f"bare answers, {kind}"
            reached, *parts = (rates.get(name, 0) for name in needed)
            if reached and all(parts):
                value = reached * sum(1 / part for part in parts)
                yield Figure(f"{act}, {kind}, {OF_THE_CEILING}", value, "", AIM)
