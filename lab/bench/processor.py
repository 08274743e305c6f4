"""Processor time, which other work on the machine lengthens less than it does the clock's (proc_pid_stat(5))."""

from __future__ import annotations

import os
from pathlib import Path

from lab.bench.memory import children

# User and system, of a process and of its children that have ended.
_FIELDS = slice(11, 15)


def seconds_of(pid: int) -> float:
    """What a process and its descendants, the ended ones too, have had so far."""
    fields = (
        Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    )
    own = sum(map(int, fields[_FIELDS])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(seconds_of, children(pid)))


def own_seconds() -> float:
    """What this process has had, with its children that have ended."""
    return sum(os.times()[:4])
