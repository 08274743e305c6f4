"""A PostgreSQL server of the tests' own, in a temporary folder, on a Unix socket there."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.parts import newest, program


@contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """Run a server in `folder`; gives the URL of an empty database. Its data is not for keeping: no fsync.

    PostgreSQL refuses to run as root, so root lends it the Debian package's own user.
    """
    binaries = newest("usr/lib/postgresql/*/bin/initdb").parent
    data = folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        _let_pass(folder)
        as_user = [program("setpriv"), f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    _run([*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "arobase", "-A", "trust", "-N", "-E", "UTF8", "--locale=C"])
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"
    control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql+psycopg://arobase@/postgres?host={folder}"
    finally:
        _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/")


def _let_pass(folder: Path) -> None:
    """Let the server's user reach its folder through the temporary folders above it."""
    for parent in folder.parents:
        if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
