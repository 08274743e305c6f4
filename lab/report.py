"""What a walk through the hotspot showed, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StepFailed(Exception):
    """A step did not hold; the rest of its journey makes no sense."""


class NotInTime(Exception):
    """What was waited for did not come."""


class Report:
    """Prints each step with what was measured, and remembers whether all held."""

    def __init__(self) -> None:
        self.held = 0
        self.failed = 0

    def journey(self, title: str) -> None:
        print(f"\n{title}", flush=True)

    def step(self, claim: str, holds: object, measured: str = "") -> None:
        """State what should hold, and whether it did. Raises `StepFailed` where it did not."""
        mark = "ok  " if holds else "FAIL"
        print(f"  {mark} {claim}" + (f": {measured}" if measured else ""), flush=True)
        if not holds:
            self.failed += 1
            raise StepFailed(claim)
        self.held += 1

    def broke(self, error: Exception) -> None:
        """A journey met something that it did not expect."""
        self.failed += 1
        print(f"  FAIL {type(error).__name__}: {error}", flush=True)


def until(look: Callable[[], T], timeout: float, *, every: float = 0.02) -> tuple[T, float]:
    """Look again and again until what is seen is true, at most `timeout` seconds; gives it and the seconds it took.

    What a look raises as OSError counts as not yet.
    """
    began = time.monotonic()
    while True:
        seen: T | None = None
        try:
            seen = look()
        except OSError as error:
            fault: OSError | None = error
        else:
            fault = None
        took = time.monotonic() - began
        if seen:
            return seen, took
        if took > timeout:
            raise NotInTime(f"not within {timeout:g} s" + (f" ({fault})" if fault else ""))
        time.sleep(every)
