"""Definitions of the usage report's figures. Pure, and versioned: a changed definition gets a new version.

| word | meaning |
|---|---|
| session | an access session that a gateway let pass, counted at the site and on the day where and when it began |
| stay | the stretch of one session at one site; a session that walks from site to site has several |
| visit | stays of one device at one site with less than an hour between them, counted on the day the visit began |
| unique device | a device with a visit in the period, counted once, by a keyed sketch; never more than visits |
| connected time | the time that stays lasted, on the day and in the hour in which they did |
| clients at once | stays running at each full five minutes of the day; the peak is the greatest of these numbers |
| volume | what gateways counted for a session at a site, on the day the session ended |
| rate reached | of a session that took at least 10 MB: its fastest stretch between two reports of the gateway |
| sign-in failure | a refusal shown to somebody who asked to be let in at a site, by the rule that made it |
| accepted ad | a message shown and accepted, whose time a gateway then granted; counted on the day it was accepted |
| outage hour | an hour in which a gateway in service was silent while its site was open |
| availability | the part of the opening time in which the gateways were heard |

A device is told by its address (MAC). One that goes on under a new address within a session's time (the session ended
as moved) stays the same device, for visits and for unique devices alike.

Days are local days of the site: 23, 24 or 25 hours. Intervals are half-open. The hour of the wall clock that comes
twice in autumn holds both; the one that is left out in spring is empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

VERSION = "2026-2"

# Shorter absences do not make a new visit.
VISIT_GAP = timedelta(hours=1)
AT_ONCE_EVERY = timedelta(minutes=5)
# A session that took less says nothing about what the line could give.
LEAST_BYTES_FOR_A_RATE = 10_000_000
# Lower ends of the classes of rates, in kbit/s. 15,000 is a boundary, so that the share above it is exact.
RATE_CLASSES = (
    *(0, 250, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 7_500, 10_000, 12_500, 15_000, 17_500, 20_000),
    *(25_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000),
)
# Counts of fewer devices than this are not shown.
FEWEST_SHOWN = 5
# How long a day waits for late accounting before its figures are made. They are final from then on.
GRACE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Stay:
    """One device at one site without a break. `device` tells devices apart and nothing else."""

    device: str
    start: datetime
    end: datetime

    def seconds_in(self, start: datetime, end: datetime) -> int:
        """How much of it lies in [start, end), in whole seconds, rounded down."""
        return max(0, int((min(self.end, end) - max(self.start, start)).total_seconds()))


def visits(stays: Iterable[Stay], *, start: datetime, end: datetime) -> list[str]:
    """The device of each visit that began in [start, end): so many visits, and so many different devices at most.

    `stays` reach back `VISIT_GAP` before it, in any order.
    """
    begun = []
    by_device = sorted(stays, key=lambda stay: (stay.device, stay.start, stay.end))
    for device, own in itertools.groupby(by_device, key=lambda stay: stay.device):
        left: datetime | None = None
        for stay in own:
            is_new = left is None or stay.start - left >= VISIT_GAP
            if is_new and start <= stay.start < end:
                begun.append(device)
            left = stay.end if left is None else max(left, stay.end)
    return begun


def at_once(stays: Iterable[Stay], *, start: datetime, end: datetime) -> list[int]:
    """How many stays ran at each full five minutes of [start, end)."""
    places = int((end - start) / AT_ONCE_EVERY)
    changes = [0] * (places + 1)
    for stay in stays:
        first, last = (_place(at, start, places) for at in (stay.start, stay.end))
        changes[first] += 1
        changes[last] -= 1
    return list(itertools.accumulate(changes))[:places]


def _place(at: datetime, start: datetime, places: int) -> int:
    """The first of the day's marks that does not come before `at`."""
    return min(places, max(0, -((start - at) // AT_ONCE_EVERY)))


def rate_class(kbps: int) -> int:
    """The number of the class that holds this rate."""
    return max(number for number, lower in enumerate(RATE_CLASSES) if lower <= max(0, kbps))


def median_rate(counts: Sequence[int]) -> int | None:
    """The median in kbit/s of rates counted by class, as if they lay evenly in theirs; None where there are none."""
    half = sum(counts) / 2
    below = 0
    for number, count in enumerate(counts):
        if count and below + count >= half:
            lower = RATE_CLASSES[number]
            upper = RATE_CLASSES[number + 1] if number + 1 < len(RATE_CLASSES) else lower
            return round(lower + (upper - lower) * (half - below) / count)
        below += count
    return None


def share_at_least(counts: Sequence[int], kbps: int) -> float | None:
    """The part of the rates that lie in classes from `kbps` on; None where there are none."""
    total = sum(counts)
    reached = sum(count for lower, count in zip(RATE_CLASSES, counts, strict=True) if lower >= kbps)
    return reached / total if total else None


def availability(*, expected_seconds: int, outage_seconds: int) -> float | None:
    """The part of the time wanted in which the gateways were heard; None where none was wanted."""
    return 1 - outage_seconds / expected_seconds if expected_seconds else None


def is_random(mac: str) -> bool:
    """Whether a device made this address up: the locally administered bit of IEEE 802."""
    return bool(int(mac[:2], 16) & 2)
