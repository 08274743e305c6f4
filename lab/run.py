"""``python -m lab.run``: the live hotspot, until Ctrl-C. Its state stays in ``.run/`` for the next time.

The desk has the portal on http://127.0.0.1:8080. Behind it two hotspots of the demo town are open in
network namespaces, with a phone at the first. Where namespaces or nftables cannot be had, the portal runs
alone, with a fake gateway that takes this machine's own browser for a phone.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from gateways.ports import Client, MacAddress
from lab import records
from lab.hotspot import DESK_PORT, TOP, Hotspot, granian, hotspot, now, portal_environment, prepare_portal
from lab.namespace import DIES_WITH_US, NoNamespaces, become_root, demand_namespaces, stop
from lab.packages import HOTSPOT, MissingPackages, provide
from lab.waiting import DidNotStart, await_page

FOLDER = TOP / ".run"
DESK_URL = f"http://127.0.0.1:{DESK_PORT}"
DOORS = (records.STATION, records.LIBRARY)
OWN_BROWSER = Client(MacAddress("02:00:00:00:00:fe"), (ipaddress.ip_address("127.0.0.1"),))
IMPOSSIBLE = 3


class AlreadyRunning(Exception):
    """Another lab works in the same folder."""


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        with _alone():
            _serve(_reason_against())
    except KeyboardInterrupt:
        print("\nStopped. Everything that was started is gone; the state is in .run/.")
    except (AlreadyRunning, DidNotStart) as fault:
        print(f"The hotspot cannot run: {fault}", file=sys.stderr)
        return IMPOSSIBLE
    return 0


def _reason_against() -> str | None:
    """Why there can be no live hotspot here, in one line; None where there can."""
    try:
        provide(HOTSPOT)
        become_root()
        demand_namespaces("dnsmasq", "openssl")
    except MissingPackages as missing:
        return f"packages are missing; this line installs them: {missing}"
    except NoNamespaces as reason:
        return str(reason)
    return None


def _serve(reason: str | None) -> None:
    if reason is not None:
        print(f"No live hotspot here: {reason}.")
        _run_alone()
        return
    with hotspot(FOLDER, DOORS) as place:
        place.start()
        place.join(place.guest(place.net.phone[0]), place.net.gateways[0])
        with _told(place), _desk():
            _greet()
            signal.pause()


def _run_alone() -> None:
    services = prepare_portal(FOLDER, DESK_URL)
    with services.make_session.begin() as db:
        records.seed_without_gateway(db, records.STATION, OWN_BROWSER, now=now())
    services.engine.dispose()
    with _desk():
        print(f"The portal: {DESK_URL}/ (with a fake gateway: your browser plays the phone). Ctrl-C ends it.")
        signal.pause()


@contextmanager
def _desk() -> Iterator[None]:
    """The portal for this machine's own browser, and the sweep, from the same database."""
    env = portal_environment(FOLDER, DESK_URL)
    commands = {
        "desk": granian("127.0.0.1", DESK_PORT),
        "desk-sweep": [sys.executable, "-m", "flask", "--app", "wsgi", "sweep", "--every", "5"],
    }
    running: list[subprocess.Popen[Any]] = []
    try:
        for name, command in commands.items():
            with (FOLDER / "log" / f"{name}.log").open("ab") as log:
                running.append(
                    subprocess.Popen(
                        [*DIES_WITH_US, *command],
                        cwd=TOP,
                        env=env,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )
        await_page(f"{DESK_URL}/healthz", running[0], FOLDER / "log/desk.log")
        yield
    finally:
        for process in running:
            stop(process)


@contextmanager
def _told(place: Hotspot) -> Iterator[None]:
    """Leave word, for ``python -m lab.phone``, of where the phone is."""
    file = FOLDER / "lab.json"
    keepers = {"phone": place.net.phone[0].ns.pid, "air": place.net.air.pid}
    file.write_text(json.dumps({"pid": os.getpid(), **keepers}), encoding="ascii")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the folder, so that two labs do not share a database by accident."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning("it runs already, in another terminal.") from error
        yield


def _greet() -> None:
    card, pin = records.PATRONS.splitlines()[1].split(",")[:2]
    print(
        f"""
The hotspot is open.
  The portal, for the desk:  {DESK_URL}/
  A phone on its wifi:       make phone
  A patron's card and PIN:   {card}, {pin}
  The journeys, measured:    make tour
  Logs and state:            {FOLDER.relative_to(Path.cwd()) if FOLDER.is_relative_to(Path.cwd()) else FOLDER}/
Ctrl-C ends it.""",
        flush=True,
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
