"""The Debian packages that a target needs: installed as root, named in one line for anyone else.

    python -m lab.packages [--needed] PACKAGE...

With ``--needed`` a package that cannot be had is a failure; otherwise the hotspot says itself what it misses.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def missing(packages: list[str]) -> list[str]:
    """Those of `packages` that are not installed."""
    return [name for name in packages if not _is_installed(name)]


def main(arguments: list[str]) -> int:
    needed = "--needed" in arguments
    lacking = missing([name for name in arguments if not name.startswith("--")])
    if not lacking:
        return 0
    if shutil.which("apt-get") is None:
        print(f"This is no Debian or Ubuntu machine. By whatever name it has them, install: {' '.join(lacking)}")
        return int(needed)
    line = f"apt-get install --no-install-recommends {' '.join(lacking)}"
    if os.geteuid() != 0:
        print(f"Some Debian packages are missing. This installs them: sudo {line}")
        return int(needed)
    print(f"Installing Debian packages: {' '.join(lacking)}", flush=True)
    return _install(lacking) if needed else min(_install(lacking), 0)


def _install(packages: list[str]) -> int:
    # A server that a test starts itself must not be started by its package as well.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            print(f"`{' '.join(command)}` failed.", file=sys.stderr)
            return 1
    return 0


def _is_installed(name: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return False
    command = ["dpkg-query", "-W", "-f", "${Status}", name]
    status = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return status.endswith(" installed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
