"""A PostgreSQL server of the tests' own, in a temporary folder, on a Unix socket there."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.parts import newest, program

START_SECONDS = 60


@contextmanager
def running_postgresql(*, durable: bool = False) -> Iterator[str]:
    """Run a server; gives the URL of an empty database. Its data is not for keeping: no fsync, unless `durable`.

    PostgreSQL refuses to run as root, so root lends it the Debian package's own user. The folder stands outside
    pytest's own, which every further run of pytest shuts to other users.
    """
    with tempfile.TemporaryDirectory(prefix="arobase-pg-", ignore_cleanup_errors=True) as folder:
        yield from _serve(Path(folder), durable=durable)


def _serve(folder: Path, *, durable: bool) -> Iterator[str]:
    binaries = newest("usr/lib/postgresql/*/bin/initdb").parent
    data = folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = [program("setpriv"), f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    _run(
        [
            *as_user,
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "arobase",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        ]
    )
    options = ["-k", str(folder), "-c", "listen_addresses=", "-c", "max_connections=200"]
    if not durable:
        # Statistics that come by themselves would change plans from one run to the next.
        options += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off"]
    # With its parent it dies too, at once: a run that is killed leaves no server behind.
    command = [program("setpriv"), *as_user[1:], "--pdeathsig", "QUIT", str(binaries / "postgres")]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            [*command, "-D", str(data), *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
        )
    try:
        _wait(server, [str(binaries / "pg_isready"), "-q", "-h", str(folder)], folder / "log")
        yield f"postgresql+psycopg://arobase@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _wait(server: subprocess.Popen[bytes], ready: list[str], log: Path) -> None:
    """Until it takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")
