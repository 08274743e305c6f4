"""``python -m lab.phone [SITE]``: a shell in the phone of the running hotspot; with a site, it walks there first."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from lab.authority import fingerprint
from lab.dhcp import join
from lab.doors import FOLDER, OPEN
from lab.namespace import SEARCH_PATH, Inside, environment
from lab.network import Phone
from lab.packages import MissingPackages, provide

TOP = Path(__file__).resolve().parent.parent
PROBE = "http://captive.apple.com/"
# What the greeting names and a shell needs; a browser is the visitor's own affair.
PROBE_PACKAGES = ("curl",)
NOT_RUNNING = 3


def main() -> int:
    parser = argparse.ArgumentParser(description="Open a shell in the phone of the running hotspot.")
    parser.add_argument("site", nargs="?", choices=[door.site for door in OPEN], help="walk there first")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the hotspot keeps its state")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    try:
        place = json.loads((folder / "lab.json").read_text(encoding="ascii"))
        os.kill(place["phone"], 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        print("No hotspot is running here: start it with `make run` in another terminal.", file=sys.stderr)
        return NOT_RUNNING
    with contextlib.suppress(MissingPackages):
        provide(PROBE_PACKAGES)
    _enter_user_namespace(place)
    phone = Phone(0, Inside("phone", place["phone"]), Inside("air", place["air"]))
    if chosen.site is not None:
        phone.go_to([door.site for door in OPEN].index(chosen.site))
        join(phone)
    _greet(folder)
    shell = phone.ns.command([os.environ.get("SHELL", "/bin/sh")])
    authority = str(folder / "certificates" / "authority.pem")
    trusting = {"CURL_CA_BUNDLE": authority, "SSL_CERT_FILE": authority, "PS1": "phone$ "}
    # The way to other sites is named as a module of ours, and people change folders.
    os.execvpe(shell[0], shell, environment({**trusting, "PYTHONPATH": str(TOP)}))
    return 0


def _enter_user_namespace(place: dict[str, Any]) -> None:
    """Where the hotspot runs without root, be its root for this program."""
    if os.geteuid() == 0:
        return
    nsenter = shutil.which("nsenter", path=SEARCH_PATH) or "nsenter"
    into = [nsenter, "-t", str(place["phone"]), "--user", "--preserve-credentials", "--"]
    os.execv(nsenter, [*into, sys.executable, *sys.orig_argv[1:]])


def _greet(folder: Path) -> None:
    place = folder / "certificates"
    keys = ",".join(fingerprint(place / f"{name}.pem") for name in ("portal", "internet"))
    sandbox = " --no-sandbox" if os.geteuid() == 0 else ""
    browsing = f"--user-data-dir=/tmp/phone-profile --ignore-certificate-errors-spki-list={keys} {PROBE}"
    elsewhere = "" if folder == FOLDER else f" --folder {shlex.quote(str(folder))}"
    walks = "\n    ".join(f"{sys.executable} -m lab.phone{elsewhere} {door.site}" for door in OPEN)
    print(
        f"""You are in the phone. Ctrl-D leaves it.
  What it has:
    ip address; ip route
  Its own probe:
    {_if_there("curl", f"-i {PROBE}hotspot-detect.html")}
  A browser, trusting the lab's two servers and nothing else of the lab:
    {_if_there("chromium", f"{sandbox} {browsing}".strip())}
  Other sites, in a shell of their own:
    {walks}
""",
        flush=True,
    )


def _if_there(program: str, words: str) -> str:
    """The command line, where the program is on this machine; else, how it gets there."""
    if shutil.which(program, path=SEARCH_PATH):
        return f"{program} {words}"
    return f"({program} is not on this machine: leave the phone, apt-get install {program})"


if __name__ == "__main__":
    sys.exit(main())
