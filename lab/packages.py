"""The Debian packages that the live hotspot stands on."""

from __future__ import annotations

import os
import shutil
import subprocess

from lab.namespace import SEARCH_PATH, environment

# dnsmasq-base and not dnsmasq, whose service would at once take port 53 of this machine.
PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
    "conntrack": "conntrack",
    "openssl": "openssl",
    "ping": "iputils-ping",
}


class MissingPackages(Exception):
    """Programs are lacking that we may not or cannot install. The text is the line that would."""


def lacking() -> list[str]:
    """The packages whose program is not here."""
    return [
        package for program, package in PACKAGES.items() if shutil.which(program, path=SEARCH_PATH) is None
    ]


def provide() -> list[str]:
    """Install what is lacking, as root on a Debian; gives what was installed. Raises `MissingPackages`."""
    wanted = lacking()
    if not wanted:
        return []
    line = "apt-get install -y --no-install-recommends " + " ".join(wanted)
    if os.geteuid() != 0 or shutil.which("apt-get", path=SEARCH_PATH) is None:
        raise MissingPackages(f"sudo {line}")
    quiet = environment({"DEBIAN_FRONTEND": "noninteractive"})
    print(f"Installing from Debian: {' '.join(wanted)}", flush=True)
    for command in ("apt-get update -q", line):
        done = subprocess.run(command.split(), env=quiet, capture_output=True, text=True, check=False)
    if done.returncode != 0 or lacking():
        told = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise MissingPackages(f"{line}   # failed here: {' '.join(told)}")
    return wanted
