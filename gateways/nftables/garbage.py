"""When the agent looks for garbage: between two answers of the feed, not while it takes one. Ten thousand grants are a
hundred thousand objects of which none is garbage, and looking through them again and again took a sixth of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
