"""FreeRADIUS as Debian ships it, with the configuration that `arobase gateways radius-config` makes, on loopback."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.ports import free_ports
from portal.cli.radius_config import Certificates, Nas, Server, render, write
from tests.services.parts import newest, program

START_SECONDS = 30.0


@dataclass
class FreeRadius:
    """A running server. It knows `nas`; a NAS of these tests has an address of its own of 127.0.0.0/8."""

    server: Server
    nas: list[Nas]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log_file(self) -> Path:
        return self.server.logs / "radius.log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_for(self, text: str, *, seconds: float = 5.0) -> bool:
        """Whether the server writes this into its log in time."""
        deadline = time.monotonic() + seconds
        while text not in self.log():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def start(self) -> None:
        """Start it, and wait until it takes packets."""
        self.log_file.write_text("")
        armed = [program("setpriv"), "--pdeathsig", "KILL", program("freeradius")]
        # -f: in the foreground; -l: the first lines go where all others do.
        command = [*armed, "-f", "-d", str(self.server.folder), "-l", str(self.log_file)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        if not self.wait_for("Ready to process requests", seconds=START_SECONDS):
            self.stop()
            raise AssertionError(f"FreeRADIUS did not start: {self.log()[-3000:]}")

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running_freeradius(
    folder: Path, *, portal: str, nas: Sequence[Nas], radsec: Certificates | None = None, **changes: Any
) -> Iterator[FreeRadius]:
    """Run a server in `folder`, asking the portal at that address, until the block ends."""
    program("freeradius")
    newest("usr/lib/freeradius/rlm_rest.so")
    auth, acct, over_tls = free_ports(3)
    for name in ("raddb", "log", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {"addresses": ("127.0.0.1",), "reject_delay": 0} | changes
    server = Server(
        folder / "raddb",
        portal,
        auth_port=auth,
        acct_port=acct,
        radsec_port=over_tls,
        radsec=radsec,
        logs=folder / "log",
        run=folder / "run",
        **values,
    )
    write(server.folder, render(server, nas))
    running = FreeRadius(server, list(nas))
    try:
        running.start()
        yield running
    finally:
        running.stop()
