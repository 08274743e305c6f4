"""Takes the access points' interfaces down and up at the times that the portal has named, whether or not it answers.

The portal names the stretches of time in which the wifi is on, for two weeks ahead; they are kept on disk. When nobody
has told more by then, the last of these weeks is repeated: so that the wifi is neither on where it should be off nor
off for ever. An interface that is to be off is taken down again whoever brings it up; one that is to be on is brought
up once, so that an operator can take it down. Where the portal names no times the interfaces are left alone, after
those that were down because of us have been brought up.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import math
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateways.faults import FaultCode
from gateways.nftables.troubles import Troubles

WEEK_SECONDS = 7 * 24 * 3600.0
# How long an interface that somebody else has brought up stays so.
LOOK_SECONDS = 5.0
MOST_STRETCHES = 2000
# linux/sockios.h, linux/if.h
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
_REQUEST = struct.Struct("16sH22x")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RadioPlan:
    """The wifi is on in the stretches `on`, by the portal's clock, and off between them, up to `until`."""

    until: float
    on: tuple[tuple[float, float], ...]

    def is_on(self, now: float) -> bool:
        """After `until` as a week earlier, again and again."""
        if now >= self.until:
            now -= WEEK_SECONDS * (math.floor((now - self.until) / WEEK_SECONDS) + 1)
        return any(start <= now < end for start, end in self.on)


def read_plan(row: object) -> RadioPlan | None:
    """Read ``{"until": …, "on": [[start, end], …]}``. Raises ValueError, TypeError or KeyError."""
    if row is None:
        return None
    if not isinstance(row, dict) or not isinstance(row["on"], list) or len(row["on"]) > MOST_STRETCHES:
        raise ValueError("not the hours of a wifi")
    stretches = tuple((_instant(start), _instant(end)) for start, end in row["on"])
    return RadioPlan(_instant(row["until"]), stretches)


def plan_row(plan: RadioPlan | None) -> dict[str, Any] | None:
    return None if plan is None else {"until": plan.until, "on": [list(each) for each in plan.on]}


class Radio:
    """The access points of one gateway. `now` is the portal's time."""

    def __init__(
        self, interfaces: Sequence[str], directory: Path, troubles: Troubles, now: Callable[[], float]
    ) -> None:
        self._interfaces, self._path = tuple(interfaces), directory / "radio.json"
        self._troubles, self._now = troubles, now
        self._changed = asyncio.Event()
        self.plan, self.is_off = _recall(self._path)

    def take(self, plan: RadioPlan | None) -> None:
        """What the portal says now; kept for when it does not answer."""
        if plan != self.plan:
            self.plan = plan
            self._keep()
            self._changed.set()

    async def follow(self) -> None:
        """Keep the interfaces as they should be, for as long as the agent runs."""
        while True:
            self.fit()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_SECONDS)
            self._changed.clear()

    def fit(self) -> None:
        """Make the interfaces what they should be now."""
        plan = self.plan
        if plan is not None and not self._interfaces:
            self._note("none named in radio_interfaces")
            return
        should_be_off = plan is not None and not plan.is_on(self._now())
        try:
            if should_be_off:
                changed = [name for name in self._interfaces if set_link(name, up=False)]
            else:
                changed = [name for name in self._interfaces if self.is_off and set_link(name, up=True)]
        except OSError as error:
            self._note(f"{', '.join(self._interfaces)}: {error.strerror}")
            return
        self._note(None)
        if changed:
            log.info("wifi %s: %s", "off" if should_be_off else "on", ", ".join(changed))
        if should_be_off != self.is_off:
            self.is_off = should_be_off
            self._keep()

    def _note(self, detail: str | None) -> None:
        self._troubles.note(
            FaultCode.RADIO, detail, "the wifi cannot be switched off and on as its hours say"
        )

    def _keep(self) -> None:
        row = {"plan": plan_row(self.plan), "is_off": self.is_off}
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(row), encoding="ascii")
            fresh.replace(self._path)
        except OSError as error:
            log.warning("the hours of the wifi could not be kept: %s", error)


def set_link(interface: str, *, up: bool) -> bool:
    """Bring a network interface up or down (netdevice(7)); whether it was otherwise. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        name = interface.encode("ascii")
        found = fcntl.ioctl(asked, SIOCGIFFLAGS, _REQUEST.pack(name, 0))
        flags = _REQUEST.unpack(found)[1]
        wanted = flags | IFF_UP if up else flags & ~IFF_UP
        if wanted == flags:
            return False
        fcntl.ioctl(asked, SIOCSIFFLAGS, _REQUEST.pack(name, wanted))
        return True


def _recall(path: Path) -> tuple[RadioPlan | None, bool]:
    """What was kept; nothing where it is missing or spoiled."""
    try:
        row = json.loads(path.read_text(encoding="ascii"))
        return read_plan(row["plan"]), row["is_off"] is True
    except FileNotFoundError:
        return None, False
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("the hours of the wifi could not be read: %s", error)
        return None, False


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not an instant")
    return float(value)
