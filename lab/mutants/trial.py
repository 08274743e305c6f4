"""One mutant in a copy of the tree: the change, its tests, and the change taken back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lab.mutants import Mutant

# Tests that wait for what the guard would have done end by their own patience, long before this.
LONGEST_SECONDS = 600.0
# A run that does not end is as red as one that fails.
KILLED = ("killed", "endless")
# pytest's exit status; 2 and above: nothing was tried, as where the changed file cannot be imported.
WORDS = {0: "survived", 1: "killed"}


@dataclass(frozen=True, slots=True)
class Result:
    """`words` is "survived" where all tests were green, "killed", "endless", or "broken" where none could run."""

    words: str
    output: str
    seconds: float

    @property
    def red(self) -> str:
        """The first test that failed, or an empty text."""
        found = re.search(r"^(?:FAILED|ERROR) (\S+)", self.output, re.MULTILINE)
        return found[1] if found else ""


class Tree:
    """A copy of the sources, which nobody else reads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changes = 0

    def try_mutant(self, mutant: Mutant) -> Result:
        path = self._root / mutant.file
        before = path.read_text(encoding="utf-8")
        self._write(path, mutant.applied_to(before))
        try:
            return self.run(mutant.tests)
        finally:
            self._write(path, before)

    def _write(self, path: Path, text: str) -> None:
        """Each time with an age of its own: Python takes a compiled file by the second and size of its source."""
        path.write_text(text, encoding="utf-8")
        self._changes += 1
        os.utime(path, (self._changes, self._changes))

    def run(
        self, tests: Collection[str], *, jobs: int = 1, seconds: float | None = LONGEST_SECONDS
    ) -> Result:
        """Run these tests, so many at a time, in a process group of their own that ends with them."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        if jobs > 1:
            command += ["-n", str(jobs), "--dist", "loadgroup"]
        begun = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=self._root,
            env={**os.environ, "STRICT_PARTS": "1", "PYTHONPATH": str(self._root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
                words = WORDS.get(process.returncode, "broken")
            except subprocess.TimeoutExpired:
                words, output = "endless", ""
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return Result(words, output, time.monotonic() - begun)
