"""What somebody without any account can do to the front, and what nobody else may notice of it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.front.conftest import HOST, SECONDS, Site
from tests.services.parts import program

FORM = "POST /signin HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
# Whatever hangs on one of these takes far longer; a busy machine does not take that long.
QUICK_SECONDS = 8.0


@contextlib.contextmanager
def unfinished(
    site: Site, number: int, source: str = "127.0.0.2", more: str = ""
) -> Iterator[list[socket.socket]]:
    """Forms of which one byte comes, then nothing."""
    head = FORM.format(host=site.name) + more + "Content-Length: 60000\r\n\r\nv"
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(site.connect(source=source)) for _ in range(number)]
        for line in lines:
            line.sendall(head.encode())
        yield lines


@contextlib.contextmanager
def as_many_as_one_may_have(site: Site) -> Iterator[None]:
    """Forms of one client, each of which the front has taken up: it asks for the rest (RFC 9110 section 10.1.1).

    It refuses some as long as it has not noticed that those of another test are closed.
    """
    held, deadline = 0, time.monotonic() + SECONDS
    with contextlib.ExitStack() as stack:
        while held < site.front.limits.connections_of_a_client:
            assert time.monotonic() < deadline
            lines = stack.enter_context(unfinished(site, 1, more="Expect: 100-continue\r\n"))
            lines[0].settimeout(SECONDS)
            held += lines[0].recv(64).startswith(b"HTTP/1.1 100")
        yield


def read_to_the_end(line: socket.socket) -> bytes:
    """All that comes until the other side closes; raises `TimeoutError` where it does not."""
    result = b""
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        while part := line.recv(65536):
            result += part
    return result


def test_a_form_that_is_cut_off_keeps_no_processor_busy(site: Site) -> None:
    """Over HTTP/2, and over HTTP/1.1: curl takes what the front offers."""
    curl = program("curl")
    before = site.busy_seconds("portal")
    for version in ("--http2", "--http1.1"):
        command = [curl, "-sk", version, "--limit-rate", "200", "--data-binary", "x" * 60_000]
        cut = subprocess.Popen([*command, f"https://{site.name}/signin"], stdout=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            cut.wait(1.0)
        cut.kill()
        cut.wait()
    used = site.busy_seconds("portal") - before
    time.sleep(2.0)
    later = site.busy_seconds("portal") - before - used
    assert later < 0.5, f"{later:.2f} s of processor time in two seconds with nobody there"


def test_it_offers_http_1_alone(site: Site) -> None:
    trust = ssl.create_default_context(cafile=site.authority.ca_file)
    trust.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection((HOST, site.front.secure_port), SECONDS)
    with trust.wrap_socket(plain, server_hostname=HOST) as line:
        assert line.selected_alpn_protocol() in ("http/1.1", None)


def test_a_hundred_forms_that_never_end_leave_pages_and_feeds_quick(site: Site) -> None:
    feed = "/gateways/nftables/feed?since=0"
    bearer = {"Authorization": f"Bearer {next(iter(site.credentials.values()))}"}
    with unfinished(site, 100):
        for path, headers in (("/hotspots", {}), (feed, bearer), ("/staff/signin", {})):
            began = time.monotonic()
            assert site.ask(path, headers=headers)[0].status == 200
            assert time.monotonic() - began < QUICK_SECONDS


def connections_to(address: str) -> int:
    """How many connections that port of this machine has now."""
    port = address.rpartition(":")[2]
    command = [program("ss"), "-Htn", "state", "established", f"( sport = :{port} )"]
    return len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def test_no_unfinished_form_reaches_python(site: Site) -> None:
    with unfinished(site, 20, source="127.0.0.4"):
        # An answer that came after them has gone the same way as they would.
        assert site.ask("/hotspots")[0].status == 200
        deadline = time.monotonic() + QUICK_SECONDS
        while connections_to(site.front.portal) and time.monotonic() < deadline:
            pass
        assert connections_to(site.front.portal) == 0


def test_forms_that_never_end_are_ended(site: Site) -> None:
    with unfinished(site, 3) as lines:
        for line in lines:
            line.settimeout(SECONDS)
            read_to_the_end(line)


@pytest.mark.parametrize("sent", [b"", b"GET /hotspots HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_connections_that_ask_for_nothing_are_ended(site: Site, sent: bytes) -> None:
    with site.connect() as line:
        line.settimeout(SECONDS)
        line.sendall(sent)
        read_to_the_end(line)


def test_a_connection_without_tls_is_ended(site: Site) -> None:
    with socket.create_connection((HOST, site.front.secure_port), SECONDS) as line:
        line.settimeout(SECONDS)
        read_to_the_end(line)


def test_a_client_that_has_vanished_is_looked_for(site: Site) -> None:
    """Without keep-alive probes a phone that walked off leaves its connection for ever (tcp(7))."""
    command = [program("ss"), "-Hton", "state", "established", f"( sport = :{site.front.secure_port} )"]
    with site.connect() as line:
        mine = f":{line.getsockname()[1]} "
        deadline = time.monotonic() + SECONDS
        seen = ""
        while "timer:(keepalive" not in seen and time.monotonic() < deadline:
            # The timer is another one while something is on its way.
            result = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seen = next(row for row in result.splitlines() if mine in row + " ")
    assert "timer:(keepalive" in seen


def test_what_is_too_large_is_told_in_words(site: Site) -> None:
    for language, words in (("en", "That is too large for this form."), ("fr", "C’est trop long")):
        headers = {"Accept-Language": language, "Content-Type": "application/x-www-form-urlencoded"}
        answer, page = site.ask("/signin", method="POST", body=b"x" * 70_000, headers=headers)
        assert answer.status == 413
        assert words in page.decode()
        assert "<style>" in page.decode() and answer.headers["Content-Security-Policy"]


def test_nothing_is_smuggled_behind_another_request(site: Site) -> None:
    """Two lengths, or a length and chunks: one request, one answer (RFC 9112 section 6.3)."""
    inner = f"GET /info/nowhere HTTP/1.1\r\nHost: {site.name}\r\n\r\n"
    for lengths in (
        f"Content-Length: 0\r\nContent-Length: {len(inner)}\r\n",
        f"Content-Length: {len(inner) + 5}\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\nTransfer-Encoding: identity\r\n",
    ):
        with site.connect() as line:
            line.settimeout(SECONDS)
            line.sendall((FORM.format(host=site.name) + lengths + "\r\n0\r\n\r\n" + inner).encode())
            assert read_to_the_end(line).startswith(b"HTTP/1.1 400")


def test_a_client_of_many_connections_is_told_so_in_words_and_nobody_else_notices(site: Site) -> None:
    with as_many_as_one_may_have(site):
        answer, page = site.ask("/hotspots", source="127.0.0.2", headers={"Accept-Language": "en"})
        assert answer.status == 503
        assert answer.headers["Retry-After"] == answer.headers["Refresh"] == "3"
        assert "The portal is busy." in page.decode()
        assert site.ask("/hotspots")[0].status == 200


def test_a_form_is_never_sent_again_by_itself(site: Site) -> None:
    with as_many_as_one_may_have(site):
        answer, _ = site.ask("/signin", method="POST", body=b"a=b", source="127.0.0.2")
        assert answer.status == 503
        assert answer.headers["Refresh"] is None


def test_a_whole_library_behind_one_address_passes(site: Site) -> None:
    """Sixty phones at once, each with a connection of its own."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(site.connect(source="127.0.0.3")) for _ in range(60)]
        for line in lines:
            line.settimeout(SECONDS)
            line.sendall(f"GET / HTTP/1.1\r\nHost: {site.name}\r\nConnection: close\r\n\r\n".encode())
        answers = [read_to_the_end(line).partition(b"\r\n")[0] for line in lines]
    assert set(answers) == {b"HTTP/1.1 200 OK"}


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_a_forwarded_address_of_a_stranger_is_not_believed(site: Site, name: str) -> None:
    """/metrics is for one address here: whoever comes from elsewhere cannot say that they have it."""
    assert site.ask("/metrics")[0].status == 200
    assert site.ask("/metrics", source="127.0.0.9", headers={name: HOST})[0].status == 404
