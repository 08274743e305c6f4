"""The machine's clock, units and addresses, as both doctors ask for them: the portal's and the gateway's."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import time
from pathlib import Path

# adjtimex(2): TIME_ERROR, the clock is not synchronised. A struct timex is smaller than this on every machine.
TIME_ERROR, TIMEX_BYTES = 5, 512
# Older than this program: a machine without a battery begins in 1970, or on the day its system was made.
FIRST_YEAR = 2026
BOOTED = Path("/run/systemd/system")
SYSTEMCTL_SECONDS = 10.0


def clock_trouble(*, now: float | None = None) -> str | None:
    """What is wrong with the wall clock, `now` seconds since the epoch: None if its year can be right."""
    year = time.gmtime(time.time() if now is None else now).tm_year
    if year < FIRST_YEAR:
        return f"this machine's clock says {year}: no certificate is trusted. timedatectl set-ntp true"
    return None


def is_synchronised() -> bool:
    """Whether the kernel's clock is kept by time servers (adjtimex(2)), whichever program does it. Raises OSError."""
    asked = ctypes.create_string_buffer(TIMEX_BYTES)
    state = int(ctypes.CDLL(None, use_errno=True).adjtimex(asked))
    if state < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return state != TIME_ERROR


def unit_states(units: list[str], *, booted: Path = BOOTED) -> dict[str, str] | None:
    """The state of each unit as `systemctl is-active` tells it. None where systemd does not run this machine.

    Raises OSError and subprocess.TimeoutExpired.
    """
    if not booted.is_dir():
        return None
    done = subprocess.run(
        ["systemctl", "is-active", *units],
        capture_output=True,
        text=True,
        timeout=SYSTEMCTL_SECONDS,
        check=False,
    )
    states = done.stdout.split()
    return {unit: states[place] if place < len(states) else "unknown" for place, unit in enumerate(units)}


def is_own(address: str) -> bool:
    """Whether an address is one of this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((address, 0))
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
                return False
            raise
    return True
