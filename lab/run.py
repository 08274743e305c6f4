"""``python -m lab.run``: the live hotspot, until Ctrl-C. Its state stays in ``.run/`` for the next time.

The desk has the portal on http://127.0.0.1:8080. Behind it two hotspots of the demo town are open in
network namespaces, with a phone at the first. Where namespaces or nftables cannot be had, the portal runs
alone, with a fake gateway that takes this machine's own browser for a phone.
"""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from gateways.types import Client, MacAddress
from lab import doors, records, staff
from lab.hotspot import Hotspot, granian, hotspot, now, portal_environment, prepare_portal
from lab.namespace import NoNamespaces, become_root, contained, demand_namespaces, dying_with_us, stop
from lab.packages import HOTSPOT, MissingPackages, provide
from lab.servers import TOP
from lab.waiting import DidNotStart, await_page
from portal.cli.nginx import has_ipv6

DESK_PORT = 8080
OWN_BROWSER = Client(MacAddress("02:00:00:00:00:fe"), (ipaddress.ip_address("127.0.0.1"),))
IMPOSSIBLE = 3


class AlreadyRunning(Exception):
    """Another lab works in the same folder."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the state is kept, and on which port of this machine the portal is."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class TakenPort(Exception):
    """Another server has the desk's port."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the live hotspot until Ctrl-C.")
    parser.add_argument("--folder", type=Path, default=doors.FOLDER, help="where its state is kept")
    parser.add_argument("--port", type=int, default=DESK_PORT, help="the desk's port on 127.0.0.1")
    chosen = parser.parse_args()
    # SIGINT too: a shell starts what runs in its background with Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        reason = _reason_against()
        # The folder first: who has it has the port as well, and is the better reason.
        with _alone(chosen.folder.resolve()):
            _demand_port(chosen.port)
            _serve(Desk(chosen.folder.resolve(), chosen.port), reason)
    except KeyboardInterrupt:
        print("\nStopped. Everything that was started is gone; the state is kept.")
    except (AlreadyRunning, TakenPort, DidNotStart) as fault:
        print(f"The hotspot cannot run: {fault}", file=sys.stderr)
        return IMPOSSIBLE
    return 0


def _reason_against() -> str | None:
    """Why there can be no live hotspot here, in one line; None where there can."""
    try:
        provide(HOTSPOT)
        become_root()
        demand_namespaces("dnsmasq", "openssl", "nginx")
        demand_ipv6()
    except MissingPackages as missing:
        return f"packages are missing; this line installs them: {missing}"
    except NoNamespaces as reason:
        return str(reason)
    return None


def demand_ipv6() -> None:
    """Raise `NoNamespaces` where the kernel has no IPv6: the hotspot's phones speak both."""
    if not has_ipv6():
        raise NoNamespaces("this kernel has no IPv6")


def _serve(desk: Desk, reason: str | None) -> None:
    if reason is not None:
        print(f"No live hotspot here: {reason}.", flush=True)
        _serve_alone(desk)
        return
    print("Opening the hotspot: namespaces, portal, gateways. It takes a minute or two.", flush=True)
    with hotspot(desk.folder, doors.OPEN) as place:
        records.announce_with_pictures(place.services.make_session, now=now())
        place.start()
        staff.hire(place.services, at=now())
        place.join(place.guest(place.net.phone[0]), place.net.gateways[0])
        with _announced(place), _opened(desk, contain=contained):
            _greet(desk)
            signal.pause()


def _serve_alone(desk: Desk) -> None:
    services = prepare_portal(desk.folder, desk.url)
    records.announce_with_pictures(services.make_session, now=now())
    with services.make_session.begin() as db:
        records.seed_without_gateway(db, doors.STATION, OWN_BROWSER, now=now())
    staff.hire(services, at=now())
    services.engine.dispose()
    with _opened(desk):
        print(staff.greeting(desk.url))
        print(f"The portal: {desk.url}/ (your browser plays the phone). Ctrl-C ends it.", flush=True)
        signal.pause()


@contextmanager
def _opened(desk: Desk, contain: Callable[[list[str]], list[str]] = list) -> Iterator[None]:
    """The portal for this machine's own browser, and the sweep, from the same database."""
    sweep = [sys.executable, "-m", "flask", "--app", "wsgi", "sweep", "--every", "5"]
    running: list[subprocess.Popen[Any]] = []
    try:
        for name, command in (("desk", contain(granian("127.0.0.1", desk.port))), ("desk-sweep", sweep)):
            running.append(_start(desk, name, command))
        await_page(f"{desk.url}/healthz", running[0], desk.folder / "log/desk.log")
        yield
    finally:
        for process in running:
            stop(process)


def _start(desk: Desk, name: str, command: list[str]) -> subprocess.Popen[Any]:
    with (desk.folder / "log" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            dying_with_us(command),
            cwd=TOP,
            env=portal_environment(desk.folder, desk.url),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@contextmanager
def _announced(place: Hotspot) -> Iterator[None]:
    """Leave word, for ``python -m lab.phone``, of where the phone is."""
    file = place.folder / "lab.json"
    file.write_text(
        json.dumps({"phone": place.net.phone[0].ns.pid, "air": place.net.air.pid}), encoding="ascii"
    )
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _demand_port(port: int) -> None:
    """Granian would share a port that is taken, and half of the requests would go astray."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise TakenPort(
                f"port {port} is taken (choose another with --port): {error.strerror}."
            ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that two labs do not share a database by accident."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning("it runs already, in another terminal.") from error
        yield


def _greet(desk: Desk) -> None:
    card, pin = records.PATRONS.splitlines()[1].split(",")[:2]
    print(
        f"""
The hotspot is open.
  The portal's pages:        {desk.url}/
{staff.greeting(desk.url)}
  A phone on its wifi:       make phone
  A patron's card and PIN:   {card}, {pin}
  The journeys, measured:    make tour
  Logs and state:            {desk.folder}
Ctrl-C ends it.""",
        flush=True,
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
