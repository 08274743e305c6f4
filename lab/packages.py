"""Debian packages: what is lacking is installed where we may, and named in one line where we may not.

    python -m lab.packages [--needed] PACKAGE...

With ``--needed`` the exit status is 1 while something is lacking; without, whoever goes on finds out how
far it gets.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lab.namespace import SEARCH_PATH, environment

# dnsmasq-base and not dnsmasq, whose service would at once take port 53 of this machine.
HOTSPOT = ("nftables", "iproute2", "dnsmasq-base", "openssl", "nginx")
POLICY = Path("/usr/sbin/policy-rc.d")


class MissingPackages(Exception):
    """Packages are lacking that we may not or cannot install. The text is the line that would."""


def provide(packages: Iterable[str]) -> None:
    """Install what is lacking, and say so. Raises `MissingPackages`. On another system than Debian, do nothing."""
    wanted = lacking(packages)
    if not wanted:
        return
    line = "apt-get install -y --no-install-recommends " + " ".join(wanted)
    if os.geteuid() != 0:
        raise MissingPackages(_by_root(line))
    print(f"Installing from Debian: {' '.join(wanted)}", flush=True)
    with _starting_nothing():
        _apt(["update", "-q"])
        output = _apt(line.split()[1:])
    if lacking(wanted):
        raise MissingPackages(f"{line}   # it said: {output}")


def _by_root(line: str) -> str:
    """What somebody else types to install: a new Debian has no lists of packages yet, and a small one no sudo."""
    if shutil.which("sudo", path=SEARCH_PATH) is None:
        return f"su -c 'apt-get update && {line}'"
    return f"sudo apt-get update && sudo {line}"


def lacking(packages: Iterable[str]) -> list[str]:
    """Which of these packages are not installed here; none, where there is no dpkg to ask."""
    if shutil.which("dpkg-query", path=SEARCH_PATH) is None:
        return []
    return [package for package in packages if not _is_installed(package)]


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    output = subprocess.run(asked, capture_output=True, text=True, env=environment(), check=False)
    return output.stdout == "installed"


def _apt(words: Sequence[str]) -> str:
    """Run apt-get; the last line of what went wrong, if anything did."""
    quiet = environment({"DEBIAN_FRONTEND": "noninteractive"})
    done = subprocess.run(["apt-get", *words], env=quiet, capture_output=True, text=True, check=False)
    return " ".join((done.stderr or done.stdout).strip().splitlines()[-1:]) if done.returncode else ""


@contextlib.contextmanager
def _starting_nothing() -> Iterator[None]:
    """Keep Debian from starting the servers that it installs: we start our own, on ports of our own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Install the Debian packages that are lacking.")
    parser.add_argument("--needed", action="store_true", help="fail where they cannot be had")
    parser.add_argument("packages", nargs="*", default=HOTSPOT)
    chosen = parser.parse_args()
    try:
        provide(chosen.packages)
    except MissingPackages as missing:
        print(f"Packages are missing. This line installs them:\n  {missing}", file=sys.stderr)
        return 1 if chosen.needed else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
