"""One hotspot for a test: a town of namespaces, the real agent on its gateway, and a scripted portal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateways.nftables.table_layout import TABLE
from lab.namespace import environment
from lab.network import Gateway, Town
from tests.gateways.scripted_portal import CREDENTIAL, PORT, ScriptedPortal
from tests.services.parts import program
from tests.services.town import opened

READY_SECONDS = 15.0


class AgentProcess:
    """The agent as an operator runs it. Its settings may be changed before `start`."""

    def __init__(self, net: Town, directory: Path, *, door: Gateway | None = None, **settings: Any) -> None:
        self.door = door or net.gateway
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "credential").write_text(CREDENTIAL)
        number = self.door.number
        self.settings: dict[str, Any] = {
            "portal_url": f"http://{net.portal_address(4)}:{PORT}",
            "gateway": f"gate-{number}",
            "credential_file": str(directory / "credential"),
            "client_interface": self.door.clients,
            "uplink_interface": self.door.uplink,
            "client_prefixes": [f"10.66.{number}.0/24", f"fd66:0:0:{number:x}::/64"],
            "portal_addresses": [str(net.portal_address(4)), str(net.portal_address(6))],
            "state_directory": str(directory / "state"),
            "report_seconds": 0.5,
            # The lab's Internet knows its way back, and tests tell clients apart by their addresses.
            "masquerade": False,
            **settings,
        }
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, ready: bool = True, nft: str = "", prelude: str = "") -> None:
        """With `nft`, a line of shell stands before every call of nft: a fault of the machine.

        `prelude` is Python that runs before the agent: for a duty that must not turn while another is looked at.
        """
        path = self.directory / "agent.toml"
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in self.settings.items()))
        self.lines = []
        begun = ["-c", f"import sys\n{prelude}\nfrom gateways.nftables.agent import main\nsys.exit(main())"]
        self.process = self.door.ns.python(
            *(begun if prelude else ["-m", "gateways.nftables.agent"]),
            "--config",
            str(path),
            stderr=subprocess.PIPE,
            text=True,
            env=self._with_faulty(nft) if nft else environment(),
        )
        threading.Thread(target=self._listen, args=(self.process, self.lines), daemon=True).start()
        if ready:
            self.wait_line("ready")

    def wait_line(self, pattern: str, *, seconds: float = READY_SECONDS) -> str:
        """Wait until the agent has said something like `pattern`."""

        def said() -> str | None:
            return next((line for line in self.lines if re.search(pattern, line)), None)

        with self._news:
            found = self._news.wait_for(lambda: said() or self.lines[-1:] == ["ended"], seconds)
            if not found or said() is None:
                raise AssertionError(f"the agent did not say {pattern!r} but {self.lines}")
            return said() or ""

    def kill(self) -> None:
        """kill -9."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(10)

    def wait_ended(self) -> int:
        assert self.process is not None
        return self.process.wait(10)

    def _with_faulty(self, line: str) -> dict[str, str]:
        programs = self.directory / "faulty"
        programs.mkdir(exist_ok=True)
        faulty = programs / "nft"
        faulty.write_text(f'#!/bin/sh\n{line}\nexec {program("nft")} "$@"\n')
        faulty.chmod(0o755)
        plain = environment()
        return {**plain, "PATH": f"{programs}:{plain['PATH']}"}

    def nft(self, *arguments: str, **rest: Any) -> str:
        return self.door.ns.run(["nft", *arguments], **rest).stdout

    def leases(self) -> dict[int, int]:
        """Who may pass, and for how many seconds yet, by the kernel's own word."""
        found = {}
        for entry in json.loads(self.nft("-j", "list", "sets", "inet"))["nftables"]:
            if entry.get("set", {}).get("name", "").startswith("lease_"):
                for element in entry["set"].get("elem", []):
                    found[element["elem"]["val"]] = element["elem"]["expires"]
        return found

    def counter(self, name: str) -> int:
        listed = json.loads(self.nft("-j", "list", "counter", *TABLE.split(), name))["nftables"]
        return next(int(each["counter"]["packets"]) for each in listed if "counter" in each)

    def _listen(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._news:
                lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            lines.append("ended")
            self._news.notify_all()
        process.stderr.close()


class Hotspot:
    def __init__(self, net: Town, portal: ScriptedPortal, agent: AgentProcess) -> None:
        self.net, self.portal, self.agent = net, portal, agent


@contextmanager
def hotspot(
    directory: Path, *, phones: int = 1, start: bool = True, offset: float = 0.0, **settings: Any
) -> Iterator[Hotspot]:
    """Open a hotspot whose agent is ready and has taken the portal's first answer."""
    with opened(phones=phones) as net:
        portal = ScriptedPortal(net.portal, offset=offset)
        agent = AgentProcess(net, directory, **settings)
        try:
            if start:
                agent.start()
                portal.wait_confirmed()
            yield Hotspot(net, portal, agent)
        finally:
            agent.stop(signal.SIGKILL)
            portal.stop()


def until(claim: Callable[[], Any], *, seconds: float = 5.0, every: float = 0.02) -> Any:
    """Look until `claim` holds. For what announces itself to nobody, such as a kernel set."""
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        if time.monotonic() > deadline:
            raise AssertionError("it did not come true in time")
        time.sleep(every)
    return found
