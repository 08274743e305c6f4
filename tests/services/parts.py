"""The real parts that tests stand on: where they are, and what happens when one is missing.

`make test` sets ``STRICT_PARTS=1``: a missing part is then a failure. A plain ``pytest`` on a laptop skips the test and
says why.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from lab.ports import free_ports

# Debian keeps servers where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def missing(reason: str) -> NoReturn:
    """End this test: failed under `make test`, skipped elsewhere."""
    if os.environ.get("STRICT_PARTS") == "1":
        pytest.fail(f"{reason} (`make test` installs what Debian packages offer)", pytrace=False)
    pytest.skip(reason)


def program(name: str) -> str:
    """The path of a program that the test cannot do without."""
    path = shutil.which(name, path=SEARCH_PATH)
    if path is None:
        missing(f"{name} is not installed")
    return path


def newest(pattern: str) -> Path:
    """The last, by name, of the paths below / that match: ``usr/lib/postgresql/*/bin/initdb``."""
    found = sorted(Path("/").glob(pattern))
    if not found:
        missing(f"/{pattern} is not installed")
    return found[-1]


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now."""
    (port,) = free_ports(1)
    return port
