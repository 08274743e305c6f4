from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import internet
from lab.authority import fingerprint, issue, make_authority
from lab.flows import download, echo
from lab.guest import Guest
from lab.network import Town
from lab.waiting import DidNotStart, await_port
from tests.services.parts import program
from tests.services.town import opened

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def town_and_guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Guest]]:
    program("openssl")
    folder = tmp_path_factory.mktemp("internet")
    authority = make_authority(folder)
    papers = issue(authority, folder, "internet", internet.HOSTS)
    log = folder / "internet.log"
    with opened() as net, log.open("wb") as out:
        process = net.internet.python(
            *("-m", "lab.internet", "--certificate", str(papers.certificate), "--key", str(papers.key)),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        await_port(net.internet, "203.0.113.1", internet.WEB, process, log)
        guest = Guest(net.phone[0], authority.certificate)
        guest.resolve = lambda name: "203.0.113.1"  # type: ignore[method-assign]
        yield net, guest


@pytest.mark.parametrize(
    ("url", "status", "body"),
    [
        ("http://captive.apple.com/hotspot-detect.html", 200, internet.APPLE),
        ("http://connectivitycheck.gstatic.com/generate_204", 204, b""),
        ("https://www.google.com/generate_204", 204, b""),
        ("http://www.msftconnecttest.com/connecttest.txt", 200, b"Microsoft Connect Test"),
        ("http://example.org/bytes/3", 200, b"\0\0\0"),
    ],
)
def test_probes_get_the_healthy_answers(
    town_and_guest: tuple[Town, Guest], url: str, status: int, body: bytes
) -> None:
    page = town_and_guest[1].fetch("GET", url)
    assert (page.status, page.body) == (status, body)


def test_a_name_that_the_certificate_does_not_hold_is_refused(town_and_guest: tuple[Town, Guest]) -> None:
    with pytest.raises(OSError, match="certificate verify failed"):
        town_and_guest[1].fetch("GET", "https://portal.example.org/")


def test_the_sink_says_how_much_it_swallowed(town_and_guest: tuple[Town, Guest]) -> None:
    with town_and_guest[0].phone[0].ns.socket() as line:
        line.settimeout(5)
        line.connect(("203.0.113.1", internet.SINK))
        line.sendall(bytes(100_000))
        line.shutdown(socket.SHUT_WR)
        assert line.recv(64) == b"100000"


def test_flows_run_until_they_are_stopped_and_notice_when_they_are_cut(
    town_and_guest: tuple[Town, Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.flows.SILENCE_SECONDS", 0.5)
    net = town_and_guest[0]
    flows = [download(net.phone[0], "203.0.113.1"), echo(net.phone[0], "203.0.113.1")]
    assert not any(flow.until_silent(0.7) for flow in flows)
    net.gateway.ns.set_kernel({"net/ipv4/ip_forward": "0"})
    assert all(flow.until_silent(5) for flow in flows)
    net.gateway.ns.set_kernel({"net/ipv4/ip_forward": "1"})
    flow = echo(net.phone[0], "203.0.113.1")
    flow.stop()
    assert flow.sent > 0
    assert flow.lost == 0


def test_what_does_not_start_says_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "broken.log"
    with opened() as net, log.open("wb") as out:
        process = net.internet.popen(["sh", "-c", "echo no such luck; exit 1"], stdout=out)
        process.wait(5)
        with pytest.raises(DidNotStart, match="broken: no such luck"):
            await_port(net.internet, "127.0.0.1", 9, process, log)


def test_the_fingerprint_is_of_the_public_key(tmp_path: Path) -> None:
    program("openssl")
    authority = make_authority(tmp_path)
    first = issue(authority, tmp_path, "one", ["one.test"])
    second = issue(authority, tmp_path, "two", ["two.test"])
    assert len(fingerprint(first.certificate)) == 44
    assert fingerprint(first.certificate) != fingerprint(second.certificate)
    assert first.key.stat().st_mode & 0o777 == 0o600
    assert first.key.read_text().startswith("-----BEGIN PRIVATE KEY-----"), "granian reads PKCS#8 alone"
