"""Small counts are not shown, and cannot be worked out from a total and the parts that are. Pure."""

from __future__ import annotations

import enum
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sessions.statistics.definitions import FEWEST_SHOWN

Key = TypeVar("Key", bound=Hashable)


class Disclosure(enum.Enum):
    """The display of a figure: itself, "fewer than five", or suppressed to protect another one."""

    OPENLY = enum.auto()
    SMALL = enum.auto()
    WITHHELD = enum.auto()


@dataclass(frozen=True, slots=True)
class Protected(Generic[Key]):
    """How each part is shown, and their total."""

    parts: Mapping[Key, Disclosure]
    total: Disclosure

    def __getitem__(self, key: Key) -> Disclosure:
        return self.parts[key]


def protect(
    counts: Mapping[Key, int], *, beforehand: Mapping[Key, Disclosure] | None = None
) -> Protected[Key]:
    """Decide for a row of parts and their total, by how many devices (or refusals) each is about.

    Nobody is behind a zero. What is small is hidden; then so many of the next smallest, that what is missing from the
    total is made of two parts at least and of no fewer than `FEWEST_SHOWN`. Where that cannot be, the total goes too.
    `beforehand` says what was hidden elsewhere already.
    """
    shown = {key: Disclosure.SMALL if is_small(count) else Disclosure.OPENLY for key, count in counts.items()}
    shown |= {key: how for key, how in (beforehand or {}).items() if how is not Disclosure.OPENLY}
    # Equal counts are told apart by their place: the same figures hide the same parts.
    reserve = sorted(
        (key for key, how in shown.items() if how is Disclosure.OPENLY and counts[key]),
        key=lambda key: counts[key],
        reverse=True,
    )
    while _reveals(counts, shown) and reserve:
        shown[reserve.pop()] = Disclosure.WITHHELD
    total = Disclosure.OPENLY
    if is_small(sum(counts.values())):
        total = Disclosure.SMALL
    elif _reveals(counts, shown):
        total = Disclosure.WITHHELD
    return Protected(shown, total)


def is_small(count: int) -> bool:
    return 0 < count < FEWEST_SHOWN


def _reveals(counts: Mapping[Key, int], shown: Mapping[Key, Disclosure]) -> bool:
    """Whether total less parts says too much of what is hidden."""
    hidden = [counts[key] for key, how in shown.items() if how is not Disclosure.OPENLY]
    return bool(hidden) and (len(hidden) < 2 or sum(hidden) < FEWEST_SHOWN)
