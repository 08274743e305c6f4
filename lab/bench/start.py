"""What a start costs: of the command line's help, and of each server's application, in processor time.

Other work lengthens processor time too, on processors that share a core: the interpreter's own start stands beside it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from config import Serves
from lab.bench.figures import Figure
from lab.bench.processor import own_seconds
from lab.hotspot import portal_environment
from lab.records import make_secret
from lab.servers import TOP

URL = "https://portal.example"
# It ends as soon as it is there: taking a process apart is no part of its start.
APPLICATION = "import os, wsgi; os._exit(0)"


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """The best of `rounds`, after one that compiles and reads everything."""
    make_secret(folder / "secret")
    # What is installed has its bytecode already; the portal's own environment has none written.
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment = portal_environment(folder, URL) | bytecode
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    libraries = "import flask, psycopg, sqlalchemy.dialects.postgresql, sqlalchemy.orm"
    for name, aim, command in (
        ("start of Python and Flask", "", [sys.executable, "-c", "import flask"]),
        ("start of Python, Flask and SQLAlchemy", "", [sys.executable, "-c", libraries]),
        ("start of flask --app wsgi --help", "<= 0.5 s", [*flask, "--help"]),
    ):
        yield Figure(f"{name}, processor", _best(command, environment, rounds), "s", aim)
    for serves in Serves:
        served = environment | {"AROBASE_SERVES": serves.value}
        best = _best([sys.executable, "-c", APPLICATION], served, rounds)
        yield Figure(f"start of the application, {serves}, processor", best, "s", "<= 0.8 s")


def _best(command: list[str], environment: Mapping[str, str], rounds: int) -> float:
    return min(_processor(command, environment) for _ in range(rounds + 1))


def _processor(command: list[str], environment: Mapping[str, str]) -> float:
    before = own_seconds()
    subprocess.run(command, cwd=TOP, env=environment, check=True, stdout=subprocess.DEVNULL)
    return own_seconds() - before
