"""A run of the tests that is ended in its middle leaves no server behind."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
# All servers begin at once, and on a busy machine that takes minutes. A run that fails ends by itself.
START_SECONDS = 600.0
SECONDS = 120.0
# The controller of pytest-xdist and its worker, which execnet starts.
PROCESSES = {"controller": r"\S*python -m pytest", "worker": r".*import sys;exec\(eval"}
# What the run must have started before it is ended, as its command lines show it.
SERVERS = (
    "postgres",
    "slapd",
    "pgbouncer",
    "nginx",
    "granian",
    "dnsmasq",
    "chrom",
    "gateways.nftables.agent",
)
BEFORE_A_RELEASE = pytest.mark.release


def pytest_of_make() -> list[str]:
    """The command of `make test`, up to pytest's own words."""
    answer = subprocess.run(
        ["make", "-n", "test"], cwd=TOP, capture_output=True, text=True, check=True
    ).stdout
    words = next(shlex.split(line) for line in answer.splitlines() if " -m pytest " in line)
    return words[1 : words.index("pytest") + 1]


def tree(root: int) -> dict[int, str]:
    """Everything below this process: process id and command line."""
    children: dict[int, list[int]] = {}
    lines: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            lines[int(folder.name)] = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except OSError:
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, new = [], [root]
    while new:
        found += new
        new = [child for one in new for child in children.get(one, [])]
    return {pid: lines[pid][:200] for pid in found if pid != root}


@pytest.mark.netns
@pytest.mark.browser
@pytest.mark.parametrize(
    ("number", "whom"),
    [
        (signal.SIGTERM, "worker"),
        pytest.param(signal.SIGKILL, "worker", marks=BEFORE_A_RELEASE),
        pytest.param(signal.SIGTERM, "controller", marks=BEFORE_A_RELEASE),
        pytest.param(signal.SIGINT, "controller", marks=BEFORE_A_RELEASE),
    ],
)
def test_a_run_that_is_ended_leaves_no_server_behind(
    tmp_path: Path, number: signal.Signals, whom: str
) -> None:
    runs = tmp_path / "runs"
    command = [*pytest_of_make(), "-n", "1", "-p", "no:cacheprovider", "tests/services/all_at_once.py"]
    with (tmp_path / "log").open("wb") as log:
        run = subprocess.Popen(
            command,
            cwd=TOP,
            env={**os.environ, "RUNS_FILE": str(runs)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    watched: dict[int, str] = {}
    try:
        wait(lambda: runs.exists() or run.poll() is not None, seconds=START_SECONDS)
        assert runs.exists() and run.poll() is None, (tmp_path / "log").read_text()
        below = tree(run.pid)
        assert [server for server in SERVERS if not any(server in line for line in below.values())] == []
        for pid, line in below.items():
            with suppress(ProcessLookupError):
                watched[os.pidfd_open(pid)] = line
        os.kill(next(pid for pid, line in below.items() if re.match(PROCESSES[whom], line)), number)
        run.wait(SECONDS)
        wait(lambda: len(ended(watched)) == len(watched))
        assert [line for descriptor, line in watched.items() if descriptor not in ended(watched)] == []
    finally:
        for descriptor in watched:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)
        run.kill()
        run.wait()


def ended(watched: dict[int, str]) -> set[int]:
    """Those of the processes, each by its pidfd, that have ended."""
    asked = select.poll()
    for descriptor in watched:
        asked.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in asked.poll(0)}


def wait(until: object, *, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.1)
