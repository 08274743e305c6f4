"""``python -m lab.phone [SITE]``: a shell in the phone of the running hotspot; with a site, it walks there first."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from lab.authority import fingerprint
from lab.dhcp import join
from lab.doors import FOLDER, OPEN
from lab.namespace import SEARCH_PATH, Inside, environment
from lab.network import Phone

PROBE = "http://captive.apple.com/"
NOT_RUNNING = 3


def main() -> int:
    parser = argparse.ArgumentParser(description="Open a shell in the phone of the running hotspot.")
    parser.add_argument("site", nargs="?", choices=[door.site for door in OPEN], help="walk there first")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the hotspot keeps its state")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    try:
        told = json.loads((folder / "lab.json").read_text(encoding="ascii"))
        os.kill(told["phone"], 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        print("No hotspot is running here: start it with `make run` in another terminal.", file=sys.stderr)
        return NOT_RUNNING
    _enter_user_namespace(told)
    phone = Phone(0, Inside("phone", told["phone"]), Inside("air", told["air"]))
    if chosen.site is not None:
        phone.go_to([door.site for door in OPEN].index(chosen.site))
        join(phone)
    _greet(folder)
    shell = phone.ns.command([os.environ.get("SHELL", "/bin/sh")])
    authority = str(folder / "certificates" / "authority.pem")
    trusting = {"CURL_CA_BUNDLE": authority, "SSL_CERT_FILE": authority, "PS1": "phone$ "}
    os.execvpe(shell[0], shell, environment(trusting))
    return 0


def _enter_user_namespace(told: dict[str, Any]) -> None:
    """Where the hotspot runs without root, be its root for this program."""
    if os.geteuid() == 0:
        return
    nsenter = shutil.which("nsenter", path=SEARCH_PATH) or "nsenter"
    into = [nsenter, "-t", str(told["phone"]), "--user", "--preserve-credentials", "--"]
    os.execv(nsenter, [*into, sys.executable, *sys.orig_argv[1:]])


def _greet(folder: Path) -> None:
    place = folder / "certificates"
    keys = ",".join(fingerprint(place / f"{name}.pem") for name in ("portal", "internet"))
    root = " --no-sandbox" if os.geteuid() == 0 else ""
    print(
        f"""You are in the phone. Ctrl-D leaves it.
  What it has:           ip address; ip route
  Its own probe:         curl -i {PROBE}hotspot-detect.html
  A browser, trusting the lab's two servers and nothing else of the lab:
    chromium{root} --user-data-dir=/tmp/phone-profile --ignore-certificate-errors-spki-list={keys} {PROBE}
  Other sites:           {", ".join(f"python -m lab.phone {door.site}" for door in OPEN)}
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
