"""A measured figure beside its aim and what the field reaches, and how it is said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the bench. `aim` and `reference` are words for a reader, where there is something to compare with.

    `accepted` is written into a committed run by hand: why a row may be slower than before.
    """

    name: str
    value: float
    unit: str
    aim: str = ""
    reference: str = ""
    accepted: str = ""


def say(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Print each figure as one JSON object, four significant digits, as soon as it is known, and give it on."""
    for figure in figures:
        print(line(figure), flush=True)
        yield figure


def line(figure: Figure) -> str:
    """The figure as one JSON object: four significant digits, and no empty words."""
    told: dict[str, object] = {
        "name": figure.name,
        "value": float(f"{figure.value:.4g}"),
        "unit": figure.unit,
    }
    told |= {"aim": figure.aim} if figure.aim else {}
    told |= {"reference": figure.reference} if figure.reference else {}
    return json.dumps(told, ensure_ascii=False)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` per cent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
