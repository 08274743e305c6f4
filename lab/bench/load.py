"""wrk, Debian's load generator: as many requests as go through, from a few kept connections."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.namespace import SEARCH_PATH

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[Any]]
_SPOILT = re.compile(r"Socket errors:.*|Non-2xx or 3xx responses:.*")


class MissingPart(Exception):
    """Something of Debian that a row needs is not installed. The text is one line."""


class SpoiltRun(Exception):
    """Some requests were refused or lost, so that the rate means nothing. The text is one line."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run reached."""

    per_second: float


def demand(*programs: str) -> None:
    """Raise `MissingPart` for programs that are not here."""
    lacking = [name for name in programs if shutil.which(name, path=SEARCH_PATH) is None]
    if lacking:
        raise MissingPart(f"{', '.join(lacking)}: not installed")


def load(
    url: str, *, seconds: int, clients: int = 16, headers: Sequence[str] = (), run: Run | None = None
) -> Load:
    """Ask `url` over and over, with these header lines if any.

    `run` carries the command out, in a namespace perhaps; here, unless told otherwise.
    """
    command = ["wrk", "--threads", "1", "--connections", str(clients), "--duration", f"{seconds}s", url]
    command += [word for header in headers for word in ("--header", header)]
    output = (run or _run)(command).stdout
    if spoilt := _SPOILT.search(output):
        raise SpoiltRun(f"{url[:60]}: {spoilt[0]}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if found is None:
        raise SpoiltRun(f"{url[:60]}: wrk printed {output[-80:]!r}")
    return Load(float(found[1]))


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
