"""A measured figure beside its aim and what the field reaches, and how it is said."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the bench. `aim` and `reference` are words for a reader, where there is something to compare with."""

    name: str
    value: float
    unit: str
    aim: str = ""
    reference: str = ""


def say(figures: Iterable[Figure]) -> Iterator[Figure]:
    """Print each figure as one JSON object, four significant digits, as soon as it is known, and give it on."""
    for figure in figures:
        line: dict[str, object] = {
            "name": figure.name,
            "value": float(f"{figure.value:.4g}"),
            "unit": figure.unit,
        }
        line |= {"aim": figure.aim} if figure.aim else {}
        line |= {"reference": figure.reference} if figure.reference else {}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        yield figure


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` per cent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
