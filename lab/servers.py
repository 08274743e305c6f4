"""The portal's servers as they are deployed: the commands of deploy/*.service, and nginx before them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask

from config import Settings
from lab.namespace import dying_with_us, stop
from lab.ports import free_ports
from lab.waiting import await_here
from portal.cli.nginx import Front, render, write_pages

TOP = Path(__file__).resolve().parent.parent
BEHIND = {"portal": "arobase-portal", "gateways": "arobase-gateway-api", "staff": "arobase-staff"}


@dataclass(frozen=True, slots=True)
class Server:
    """One process to start, and what its environment has beside the portal's settings."""

    name: str
    command: list[str]
    environment: dict[str, str]


def deployed(unit: str, changes: Mapping[str, str]) -> Server:
    """The server of ``deploy/UNIT.service``, run by this interpreter, `changes` made to its options."""
    text = (TOP / "deploy" / f"{unit}.service").read_text(encoding="utf-8").replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))[1:]
    for option, value in changes.items():
        words[words.index(option) + 1] = value
    lines = [
        line.removeprefix("Environment=") for line in text.splitlines() if line.startswith("Environment=")
    ]
    environment = dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))
    return Server(unit, [sys.executable, "-m", "granian", *words], environment)


def servers(
    app: Flask, settings: Settings, front: Front, *, behind: Collection[str] = BEHIND.keys()
) -> list[Server]:
    """The front and those `behind` it, in the order to start them. Writes what nginx reads below `front.folder`."""
    folder, pages = front.folder, front.pages
    for each in (folder, pages):
        each.mkdir(parents=True, exist_ok=True)
    write_pages(app, pages)
    file = folder / "nginx.conf"
    file.write_text(render(front, settings), encoding="utf-8")
    served = [replace(_on(BEHIND[name], getattr(front, name), folder), name=name) for name in behind]
    return [*served, Server("front", ["nginx", "-e", "stderr", "-c", str(file)], {})]


def _on(unit: str, address: str, folder: Path) -> Server:
    host, _, port = address.rpartition(":")
    server = deployed(unit, {"--host": host, "--port": port})
    return replace(
        server, environment={name: _made(value, folder) for name, value in server.environment.items()}
    )


def _made(value: str, folder: Path) -> str:
    """What a unit's environment says, with the folder that systemd would make below /var/cache made in `folder`."""
    name = value.removeprefix("%C/")
    if name == value:
        return value
    cache = folder / name
    cache.mkdir(mode=0o700, exist_ok=True)
    return str(cache)


@contextmanager
def running(
    folder: Path,
    app: Flask,
    settings: Settings,
    front: Front,
    environment: Mapping[str, str],
    *,
    behind: Collection[str] = BEHIND.keys(),
    serve: str = "",
) -> Iterator[dict[str, subprocess.Popen[Any]]]:
    """The front and those `behind` it on this machine, until the end of the block; logs are in `folder`.

    `serve` is another WSGI application in the place of the portal's pages.
    """
    started: dict[str, subprocess.Popen[Any]] = {}
    ports = {name: int(getattr(front, name).rpartition(":")[2]) for name in BEHIND}
    ports["front"] = front.secure_port
    try:
        for server in servers(app, settings, front, behind=behind):
            command = [*server.command[:-1], serve] if serve and server.name == "portal" else server.command
            with (folder / f"{server.name}.log").open("ab") as log:
                started[server.name] = subprocess.Popen(
                    dying_with_us(command),
                    cwd=TOP,
                    env={**environment, **server.environment},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        for name, process in started.items():
            await_here(ports[name], process, folder / f"{name}.log")
        yield started
    finally:
        for process in reversed(started.values()):
            stop(process)


def front_here(folder: Path, certificate: Path, key: Path, **more: Any) -> Front:
    """A front on free ports of 127.0.0.1, with its three servers on others."""
    secure, plain, portal, gateways, staff = free_ports(5)
    place = folder / "front"
    return Front(
        certificate,
        key,
        folder=place,
        pages=place / "pages",
        user="root",
        addresses=("127.0.0.1",),
        secure_port=secure,
        plain_port=plain,
        portal=f"127.0.0.1:{portal}",
        gateways=f"127.0.0.1:{gateways}",
        staff=f"127.0.0.1:{staff}",
        **more,
    )
