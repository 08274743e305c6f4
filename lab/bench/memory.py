"""What processes weigh, by the kernel's own account (proc(5))."""

from __future__ import annotations

import re
from pathlib import Path


def proportional_bytes(pid: int) -> int:
    """The memory of a process and its descendants; what they share is counted once (PSS)."""
    own = _value(Path(f"/proc/{pid}/smaps_rollup"), "Pss")
    return own + sum(proportional_bytes(child) for child in children(pid))


def resident_bytes(pid: int) -> int:
    """The memory that one process has in RAM, shared pages and all (RSS)."""
    return _value(Path(f"/proc/{pid}/status"), "VmRSS")


def peak_bytes(pid: int) -> int:
    """The most that one process ever had in RAM."""
    return _value(Path(f"/proc/{pid}/status"), "VmHWM")


def children(pid: int) -> list[int]:
    """The children of all its threads, as they are now."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def _value(path: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None, f"{path} has no {name}"
    return int(found[1]) * 1024
