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
FIXED_PIECE = "Debian 12's Python 3.11.2: 0.76 of a 3.11.7 that was built without profiles"
# What the interpreter does most here: calls, dictionaries, JSON and text.
PIECE = """
import json, time
def piece():
    text = ""
    for number in range(60_000):
        told = {"a": number, "b": [number] * 3, "text": text}
        text = f"{len(json.dumps(told))}-{sum(value for value in (1, 2, 3))}".split("-")[0]
best = 9.0
for _ in range(7):
    began = time.process_time()
    piece()
    best = min(best, time.process_time() - began)
print(best)
"""


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """The best of `rounds`, after one that compiles and reads everything; first how fast this interpreter is."""
    piece = subprocess.run([sys.executable, "-c", PIECE], capture_output=True, text=True, check=True).stdout
    yield Figure("a fixed piece of Python, processor", float(piece), "s", reference=FIXED_PIECE)
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
