"""The portal as it is installed: nginx with the configuration of deploy/, the units' servers behind it, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from lab.bench.processor import seconds_of
from lab.doors import LIBRARY, STATION
from lab.hotspot import now, portal_environment, prepare_portal
from lab.ports import free_ports
from lab.records import seed
from lab.servers import front_here, running
from portal.app import create_app, make_services
from portal.cli.nginx import Front, Limits
from portal.services import Services
from tests.services.certificates import Authority
from tests.services.parts import program

HOST = "127.0.0.1"
SECONDS = 20.0
# Small, so that the tests need few connections to reach them.
LIMITS = Limits(connections=1024, connections_of_a_client=180, requests_a_second=100, burst_of_a_client=100)


@dataclass(frozen=True, slots=True)
class Site:
    """A front that serves. `credentials` are the gateways', by identity."""

    front: Front
    authority: Authority
    services: Services
    processes: dict[str, subprocess.Popen[Any]]
    credentials: dict[str, str]

    @property
    def name(self) -> str:
        return f"{HOST}:{self.front.secure_port}"

    def connect(self, *, source: str = HOST, tls: bool = True) -> socket.socket:
        """A connection of a stranger at `source`, an address of this machine's loopback."""
        port = self.front.secure_port if tls else self.front.plain_port
        plain = socket.create_connection((HOST, port), SECONDS, source_address=(source, 0))
        if not tls:
            return plain
        trust = ssl.create_default_context(cafile=self.authority.ca_file)
        return trust.wrap_socket(plain, server_hostname=HOST)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        source: str = HOST,
        tls: bool = True,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own."""
        line = http.client.HTTPConnection(HOST, timeout=SECONDS)
        line.sock = self.connect(source=source, tls=tls)
        port = self.front.secure_port if tls else self.front.plain_port
        try:
            line.request(method, path, body, {"Host": f"{HOST}:{port}"} | (headers or {}))
            answer = line.getresponse()
            return answer, answer.read()
        finally:
            line.close()

    def busy_seconds(self, name: str) -> float:
        """How much processor time one of the servers has used so far, its workers included."""
        return seconds_of(self.processes[name].pid)


@contextlib.contextmanager
def serving(folder: Path, *, staff_apart: bool = False) -> Iterator[Site]:
    """With `staff_apart`, staff have a name and a port of their own: ``localhost``, `Front.staff_listens`."""
    program("nginx")
    authority = Authority(folder)
    papers = authority.issue(HOST, label="portal")
    listens = tuple(f"{HOST}:{port}" for port in free_ports(1)) if staff_apart else ()
    front = front_here(folder, papers.certificate_file, papers.key_file, limits=LIMITS, staff_listens=listens)
    url = f"https://{HOST}:{front.secure_port}"
    prepare_portal(folder, url).engine.dispose()
    environment = portal_environment(folder, url) | {"AROBASE_METRICS_CLIENTS": HOST}
    if staff_apart:
        environment["AROBASE_STAFF_URL"] = f"https://localhost:{listens[0].rpartition(':')[2]}"
    services = make_services(Settings.from_env(environment))
    with services.make_session.begin() as db:
        seed(db, (STATION, LIBRARY), folder / "credentials", now=now())
    credentials = {
        door.identity: (folder / "credentials" / door.identity).read_text() for door in (STATION, LIBRARY)
    }
    try:
        with running(folder, create_app(services), services.settings, front, environment) as processes:
            yield Site(front, authority, services, processes, credentials)
    finally:
        services.wake.close()
        services.engine.dispose()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("front")) as place:
        yield place
