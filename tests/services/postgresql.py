"""A PostgreSQL server of the tests' own, in a temporary folder, on a Unix socket there."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.parts import newest, program


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
    options = f"-k {folder} -c listen_addresses='' -c max_connections=200"
    if not durable:
        options += " -c fsync=off -c full_page_writes=off"
    control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://arobase@/postgres?host={folder}"
    finally:
        _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")
