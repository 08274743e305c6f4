"""A folder in memory. What a database promises of the disk is its own; the tests need not wait for it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
ROOM = 256 * 2**20


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A new folder, which goes with its files. On the disk where the machine lends little memory (shm_overview(7))."""
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(
        prefix="arobase-", dir=SHARED_MEMORY if roomy else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
