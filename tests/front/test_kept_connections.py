"""Connections between the front and the portal are kept; where one breaks, a page is asked for again, a form is not."""

from __future__ import annotations

import os
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import pytest

from lab.ports import free_ports
from lab.servers import deployed, running
from portal.app import create_app
from tests.front.conftest import HOST, SECONDS, Site
from tests.front.test_strangers import connections_to

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Taken(NamedTuple):
    """A request that came to the server behind the front: on which connection, as which there, and its first line."""

    connection: int
    number: int
    line: str


@dataclass
class Fickle:
    """A server behind the front that answers one request on each connection and hangs up as the next one comes, as a
    worker may that ends. It answers nothing about ``/lost``."""

    site: Site
    taken: list[Taken] = field(default_factory=list)


@pytest.fixture
def fickle(site: Site, tmp_path: Path) -> Iterator[Fickle]:
    taken: list[Taken] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for number in (1, 2):
                head = list(iter(lambda: self.rfile.readline().decode().strip(), ""))
                if not head:
                    return
                self.rfile.read(sum(int(line[15:]) for line in head if line.startswith("Content-Length:")))
                taken.append(Taken(self.client_address[1], number, head[0]))
                if number == 2 or "/lost" in head[0]:
                    return
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        secure, plain = free_ports(2)
        portal = f"{HOST}:{server.server_address[1]}"
        front = replace(
            site.front, folder=tmp_path, pages=tmp_path, secure_port=secure, plain_port=plain, portal=portal
        )
        app, settings = create_app(site.services), site.services.settings
        with running(tmp_path, app, settings, front, dict(os.environ), behind=()) as processes:
            yield Fickle(replace(site, front=front, processes=processes), taken)
        server.shutdown()


def until_one_breaks(fickle: Fickle) -> Iterator[int]:
    """Each process of the front keeps its own, so that it takes a few requests until one is used again."""
    for number in range(50):
        yield number
        if any(one.number == 2 for one in fickle.taken):
            return
    raise AssertionError("no connection is kept")


def test_a_page_is_asked_for_again_where_a_kept_connection_breaks(fickle: Fickle) -> None:
    for _ in until_one_breaks(fickle):
        answer, body = fickle.site.ask("/hotspots")
        assert (answer.status, body) == (200, b"OK")


def test_a_form_is_sent_once_though_its_connection_breaks(fickle: Fickle) -> None:
    said = [
        fickle.site.ask(f"/signin?form={number}", method="POST", body=b"a=b", headers=FORM)[0].status
        for number in until_one_breaks(fickle)
    ]
    # The last came over a connection that was kept, and was lost with it.
    assert said == [200] * (len(said) - 1) + [502]
    assert [one.line for one in fickle.taken] == [
        f"POST /signin?form={number} HTTP/1.1" for number in range(len(said))
    ]
    assert fickle.site.ask("/lost", method="POST", body=b"a=b", headers=FORM)[0].status == 502
    assert [one.line for one in fickle.taken].count("POST /lost HTTP/1.1") == 1


def test_a_page_that_breaks_is_asked_for_twice_and_then_told_to_be_away(fickle: Fickle) -> None:
    answer, page = fickle.site.ask("/lost", headers={"Accept-Language": "en"})
    assert answer.status == 502
    assert "The portal is away for a moment." in page.decode()
    assert [one.line for one in fickle.taken] == ["GET /lost HTTP/1.1"] * 2


def test_it_is_the_front_that_closes_what_it_keeps(site: Site) -> None:
    unit = deployed("arobase-portal", {}).command
    portal_waits = int(unit[unit.index("--http1-header-read-timeout") + 1]) / 1000
    text = (site.front.folder / "nginx.conf").read_text()
    front_keeps = re.search(r"^ +keepalive_timeout (\d+)s;\n +}", text, re.MULTILINE)
    assert front_keeps is not None
    assert int(front_keeps[1]) <= portal_waits / 2
    assert site.ask("/hotspots")[0].status == 200
    deadline = time.monotonic() + SECONDS
    while connections_to(site.front.portal):
        assert time.monotonic() < deadline, "a connection that nobody uses stays"


def test_no_connection_that_is_kept_leaves_another_waiting_outside(site: Site) -> None:
    """A connection that is kept counts against what a worker takes, as granian reckons it."""
    unit = deployed("arobase-portal", {}).command
    text = (site.front.folder / "nginx.conf").read_text()
    kept = re.search(r"^ +keepalive (\d+);", text, re.MULTILINE)
    assert kept is not None
    most = int(kept[1]) * (os.cpu_count() or 1)
    assert int(unit[unit.index("--backpressure") + 1]) >= 8 * most
