"""What a start costs: of the command line's help, and of the whole application, in processor time.

Other work lengthens processor time too, on processors that share a core: the interpreter's own start stands beside it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.bench.figures import Figure
from lab.bench.processor import own_seconds
from lab.hotspot import portal_environment
from lab.records import make_secret
from lab.servers import TOP

URL = "https://portal.example"


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """The best of `rounds`, after one that compiles and reads everything."""
    make_secret(folder / "secret")
    # What is installed has its bytecode already; the portal's own environment has none written.
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment = portal_environment(folder, URL) | bytecode
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    for name, aim, command in (
        ("start of Python and Flask", "", [sys.executable, "-c", "import flask"]),
        ("start of flask --app wsgi --help", "<= 0.5 s", [*flask, "--help"]),
        ("start of the application", "<= 0.8 s", [sys.executable, "-c", "import wsgi"]),
    ):
        best = min(_processor(command, environment) for _ in range(rounds + 1))
        yield Figure(f"{name}, processor", best, "s", aim)


def _processor(command: list[str], environment: Mapping[str, str]) -> float:
    before = own_seconds()
    subprocess.run(command, cwd=TOP, env=environment, check=True, stdout=subprocess.DEVNULL)
    return own_seconds() - before
