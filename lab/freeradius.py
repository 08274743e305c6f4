"""FreeRADIUS of Debian in a namespace of the lab, with the configuration that the portal makes for its gateways."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from lab.namespace import Inside
from lab.waiting import DidNotStart
from portal.cli.radius_config import Nas, Server, render, write

PACKAGES = ("freeradius", "freeradius-rest")
NEEDED = ("freeradius",)
START_SECONDS = 30.0


def serve(
    node: Inside, folder: Path, *, portal: str, address: str, nas: Sequence[Nas], log: IO[bytes]
) -> subprocess.Popen[Any]:
    """Start it in `node`, where it listens on `address` and asks `portal`, an address. Raises `DidNotStart`."""
    for name in ("raddb", "log", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    server = Server(
        folder / "raddb",
        portal,
        addresses=(address,),
        logs=folder / "log",
        run=folder / "run",
        reject_delay=0,
    )
    write(server.folder, render(server, nas))
    said = folder / "log" / "radius.log"
    said.write_text("")
    command = ["freeradius", "-f", "-d", str(server.folder), "-l", str(said)]
    process = node.popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + START_SECONDS
    while "Ready to process requests" not in said.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DidNotStart(f"freeradius: {said.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)
    return process
