"""Gateways that wait for news: none holds a thread, and a stolen credential stops nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time

from gateways.types import Client, MacAddress
from lab.doors import LIBRARY, STATION
from sites.gateways import by_identity
from tests.front.conftest import SECONDS, Site

QUICK_SECONDS = 8.0


def bearer(site: Site, identity: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {site.credentials[identity]}"}


def version(site: Site, identity: str) -> int:
    answer, body = site.ask("/gateways/nftables/feed?since=0", headers=bearer(site, identity))
    assert answer.status == 200
    return int(json.loads(body)["version"])


def begin_to_wait(site: Site, identity: str, since: int, wait: int = 25) -> socket.socket:
    line = site.connect()
    line.settimeout(SECONDS + wait)
    head = f"GET /gateways/nftables/feed?since={since}&wait={wait} HTTP/1.1\r\nHost: {site.name}\r\n"
    credential = bearer(site, identity)["Authorization"]
    line.sendall(f"{head}Authorization: {credential}\r\nConnection: close\r\n\r\n".encode())
    return line


def answer_of(line: socket.socket) -> bytes:
    result = b""
    while part := line.recv(65536):
        result += part
    return result


def change(site: Site, identity: str) -> None:
    """Something happens in this gateway's feed."""
    with site.services.make_session.begin() as db:
        gateway = by_identity(db, identity)
        assert gateway is not None
        gateway.feed_version += 1


def test_the_path_of_a_unifi_redirect_leads_to_the_gateways_process(site: Site) -> None:
    """Nobody lands from here; the guests' process would say so with a page."""
    answer, body = site.ask("/guest/s/default/?id=02:00:00:00:00:01&ap=02:00:00:00:00:02&t=1")
    assert (answer.status, json.loads(body)) == (404, {"error": json.loads(body)["error"]})


def test_news_arrive_at_once(site: Site) -> None:
    since = version(site, STATION.identity)
    with begin_to_wait(site, STATION.identity, since) as line:
        line.settimeout(1.0)
        with contextlib.suppress(TimeoutError):
            assert not line.recv(1), "it did not wait"
        change(site, STATION.identity)
        line.settimeout(QUICK_SECONDS)
        assert json.loads(answer_of(line).partition(b"\r\n\r\n")[2])["version"] == since + 1


def test_without_news_the_answer_comes_when_the_wait_is_over(site: Site) -> None:
    since = version(site, STATION.identity)
    began = time.monotonic()
    with begin_to_wait(site, STATION.identity, since, wait=1) as line:
        assert json.loads(answer_of(line).partition(b"\r\n\r\n")[2])["version"] == since
    assert time.monotonic() - began >= 1


def test_a_hundred_polls_of_one_credential_leave_the_others_their_feed(site: Site) -> None:
    mine, theirs = version(site, STATION.identity), version(site, LIBRARY.identity)
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(begin_to_wait(site, STATION.identity, mine, wait=8)) for _ in range(100)]
        with begin_to_wait(site, LIBRARY.identity, theirs) as waiting:
            began = time.monotonic()
            change(site, LIBRARY.identity)
            assert json.loads(answer_of(waiting).partition(b"\r\n\r\n")[2])["version"] == theirs + 1
            assert time.monotonic() - began < QUICK_SECONDS
        assert site.ask("/hotspots")[0].status == 200
        assert version(site, LIBRARY.identity) == theirs + 1
        waited = sum(answer_of(line).startswith(b"HTTP/1.1 200") for line in lines)
        assert 1 <= waited <= 4, "more lines of one gateway wait than it can need"


def test_a_gateway_that_hangs_up_makes_room_at_once(site: Site) -> None:
    """An agent that is restarted over and over must not be refused for its dead lines."""
    since = version(site, STATION.identity)
    for _ in range(12):
        begin_to_wait(site, STATION.identity, since).close()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with begin_to_wait(site, STATION.identity, since, wait=1) as line:
            if answer_of(line).startswith(b"HTTP/1.1 200"):
                return
    raise AssertionError("its dead lines are still counted")


def test_a_flood_of_calls_with_one_credential_leaves_the_others_theirs(site: Site) -> None:
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                site.ask("/gateways/nftables/feed?since=0", headers=bearer(site, STATION.identity))

    threads = [threading.Thread(target=flood) for _ in range(12)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            began = time.monotonic()
            assert version(site, LIBRARY.identity) >= 0
            assert time.monotonic() - began < QUICK_SECONDS
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_report_that_is_too_large_is_refused_by_its_number(site: Site) -> None:
    body = b"{" + b" " * (9 << 20)
    headers = bearer(site, STATION.identity) | {"Content-Type": "application/json"}
    with contextlib.suppress(ConnectionError):
        answer, result = site.ask("/gateways/nftables/report", method="POST", body=body, headers=headers)
        assert answer.status == 413
        assert json.loads(result)


def test_arrivals_reach_the_database_through_the_front(site: Site) -> None:
    client = Client(MacAddress("02:00:00:00:0d:01"), ())
    body = json.dumps({"clients": [{"client": client.mac, "addresses": ["10.66.0.44"]}]}).encode()
    headers = bearer(site, STATION.identity) | {"Content-Type": "application/json"}
    answer, _ = site.ask("/gateways/nftables/arrivals", method="POST", body=body, headers=headers)
    assert answer.status == 204


def test_a_credential_that_nobody_has_learns_nothing(site: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer nobody"}):
        answer, result = site.ask("/gateways/nftables/feed", headers=headers)
        assert (answer.status, list(json.loads(result))) == (401, ["error"])


def test_while_the_servers_behind_it_are_away_a_gateway_is_told_so(site: Site) -> None:
    """Whatever it sends: a report of many clients must not be taken for one that is too large."""
    gateways = site.processes["gateways"]
    os.killpg(gateways.pid, signal.SIGKILL)
    gateways.wait()
    headers = bearer(site, STATION.identity) | {"Content-Type": "application/json"}
    answer, result = site.ask(
        "/gateways/nftables/report", method="POST", body=b" " * 300_000, headers=headers
    )
    assert (answer.status, answer.headers["Retry-After"]) == (502, "5")
    assert json.loads(result)
    assert site.ask("/hotspots")[0].status == 200
