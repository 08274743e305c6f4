"""What processes cost and weigh while something happens: processor time and memory, looked at every few seconds."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from lab.bench.memory import proportional_bytes
from lab.bench.processor import seconds_of

EVERY_SECONDS = 10.0
MEGABYTE = 1e6


class Watch:
    """Watches processes with their descendants, by name, from its beginning to its end."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = dict(processes)
        self._began = {name: seconds_of(pid) for name, pid in self._processes.items()}
        self._cost: dict[str, float] = {}
        self._weights: dict[str, list[int]] = {name: [] for name in self._processes}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self._look()
        self._cost = {name: seconds_of(pid) - self._began[name] for name, pid in self._processes.items()}

    def figures(self, phones: int) -> dict[str, float]:
        """Milliseconds of a processor for each phone, and megabytes at first and at most: by name, and of all."""
        costs = {name: 1000 * cost / phones for name, cost in self._cost.items()}
        found = {f"{name}, processor a phone (ms)": round(cost, 2) for name, cost in costs.items()}
        # What gateways cost stands on their own machines.
        ours = sum(cost for name, cost in costs.items() if not name.startswith("agent"))
        found["the portal's machine, processor a phone (ms)"] = round(ours, 2)
        found["phones a second that fill one processor"] = round(1000 / ours, 1)
        for name, weights in self._weights.items():
            found[f"{name}, memory at first (MB)"] = round(weights[0] / MEGABYTE, 1)
            found[f"{name}, most memory (MB)"] = round(max(weights) / MEGABYTE, 1)
        return found | {"processors": float(os.cpu_count() or 1)}

    def _watch(self) -> None:
        while True:
            self._look()
            if self._stopping.wait(EVERY_SECONDS):
                return

    def _look(self) -> None:
        for name, pid in self._processes.items():
            # A child of its own may end while it is looked at.
            with contextlib.suppress(OSError):
                self._weights[name].append(proportional_bytes(pid))
