"""What the agent does about its memory, which is that of a small box.

It looks for garbage between two answers of the feed, not while it takes one: ten thousand grants are a hundred thousand
objects of which none is garbage, and looking through them again and again took a sixth of the time. And what was needed
for a moment goes back to the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# malloc.h of the GNU C library.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE_BYTES = 256 << 10


def give_back_early() -> None:
    """Before the first thread: share one arena, and give what is large back as soon as it is free (mallopt(3)).

    Each thread would keep in an arena of its own what an answer of ten thousand grants once took: 10 MB. Other C
    libraries do as they do.
    """
    with contextlib.suppress(AttributeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(M_ARENA_MAX, 1)
        allocator.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        allocator.mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile. For one at a time: whoever leaves first lets all collect again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def keep_what_is_there() -> None:
    """What a program has loaded at its start stays to its end: that is never looked through again."""
    gc.collect()
    gc.freeze()
