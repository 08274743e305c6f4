"""Which sites share a mark, so that no mark on a map lies over another. Pure: the same places give the same marks."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sites.map_background import Point


@dataclass(frozen=True, slots=True)
class Cluster:
    """`members` are places in the list that was given, in its order; `x`, `y` is their middle."""

    members: tuple[int, ...]
    x: float
    y: float


def cluster(places: Sequence[Point], apart: float) -> tuple[Cluster, ...]:
    """Join the nearest two until any two are at least `apart`; in the order of their first members.

    The middle of joined places is among them: what is inside a frame stays inside.
    """
    return _cluster(tuple(places), apart)


# The same list is drawn at every visit; a filter makes another one.
@lru_cache(maxsize=64)
def _cluster(places: tuple[Point, ...], apart: float) -> tuple[Cluster, ...]:
    found = {number: Cluster((number,), x, y) for number, (x, y) in enumerate(places)}
    near = [
        (_distance(one, other), first, second)
        for first, one in found.items()
        for second, other in found.items()
        if first < second and _distance(one, other) < apart
    ]
    heapq.heapify(near)
    number = len(places)
    while near:
        _, first, second = heapq.heappop(near)
        if first not in found or second not in found:
            continue
        joined = _joined(found.pop(first), found.pop(second))
        for each, other in found.items():
            if (distance := _distance(joined, other)) < apart:
                heapq.heappush(near, (distance, each, number))
        found[number] = joined
        number += 1
    return tuple(sorted(found.values(), key=lambda one: one.members))


def _joined(one: Cluster, other: Cluster) -> Cluster:
    # By how many each stands for; rounded as it will be drawn, so that what is measured here is what is seen.
    size, more = len(one.members), len(other.members)
    x = round((one.x * size + other.x * more) / (size + more), 1)
    y = round((one.y * size + other.y * more) / (size + more), 1)
    return Cluster(tuple(sorted(one.members + other.members)), x, y)


def _distance(one: Cluster, other: Cluster) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
