"""Work in a thread of its own: after a test in a browser, Playwright's loop runs in the main one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    return beside(lambda: asyncio.run(coroutine))


def beside(work: Callable[[], T]) -> T:
    """What `work` gives."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()
