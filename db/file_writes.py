"""Writes to the files of a folder, as the kernel tells of them: inotify(7), which Linux alone has."""

from __future__ import annotations

import ctypes
import os
import select
from pathlib import Path

# linux/inotify.h
IN_MODIFY = 0x2
# More events than come at a time; what is left wakes the next call.
OCTETS = 65_536


class Writes:
    """Whether a file of `folder` is written to, by whichever process. Raises OSError where the kernel does not tell."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            raise OSError("no inotify")
        self._events: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._events < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        if libc.inotify_add_watch(self._events, os.fsencode(folder), IN_MODIFY) < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, "inotify_add_watch")
        self._line = select.poll()
        self._line.register(self._events, select.POLLIN)

    def within(self, seconds: float) -> bool:
        """Wait for a write, at most so long; True for one, and for one since the last call."""
        if not self._line.poll(seconds * 1000):
            return False
        os.read(self._events, OCTETS)
        return True

    def close(self) -> None:
        """Let go of what the kernel keeps for it."""
        os.close(self._events)
