"""The portal's time as the gateway knows it, without trusting the gateway's own wall clock while it runs.

Lengths are measured on CLOCK_BOOTTIME, which cannot be set. The wall clock is asked for one thing only: how
long the machine was off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Leases are shorter than this. A wall clock that jumped further over a reboot ends them all, rightly or not.
LONGEST_OFF_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on the machine's two clocks, and the name of the boot that `boot` counts from."""

    boot_id: str
    boot: float
    wall: float

    @classmethod
    def now(cls) -> Moment:
        boot_id = BOOT_ID.read_text(encoding="ascii").strip()
        return cls(boot_id, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


@dataclass(frozen=True, slots=True)
class Stamp:
    """The portal said `portal` at `moment`."""

    portal: float
    moment: Moment


def portal_time(stamp: Stamp, moment: Moment) -> float:
    """The portal's time at `moment`, seconds since the epoch, as far as `stamp` tells.

    In the same boot this is exact. After a reboot the wall clock says how long the machine was off. A wall
    clock that went back (no battery: 1970) says nothing: then the machine was off for no time, because it was
    off for at least that, and every lease is bounded by what it had left. The portal's next answer puts it
    right.
    """
    if moment.boot_id == stamp.moment.boot_id:
        return stamp.portal + (moment.boot - stamp.moment.boot)
    # The machine's clock may have been wrong then and right now: then it agrees with the portal's.
    lengths = [moment.wall - stamp.moment.wall, moment.wall - stamp.portal]
    plausible = [length for length in lengths if 0 <= length <= LONGEST_OFF_SECONDS]
    if plausible:
        return stamp.portal + max(plausible[0], moment.boot)
    if max(lengths) > LONGEST_OFF_SECONDS:
        return stamp.portal + LONGEST_OFF_SECONDS
    return stamp.portal + moment.boot


def rebase(stamp: Stamp, moment: Moment) -> Stamp:
    """The same knowledge, told at `moment`: afterwards the wall clock is not asked again."""
    return Stamp(portal_time(stamp, moment), moment)
