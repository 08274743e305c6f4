"""The agent's line to the portal: verified, kept, and quick to say that nobody is there."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gateways.nftables.configuration import Configuration, read
from gateways.nftables.portal import PortalClient, PortalUnreachable
from tests.gateways.hotspot import until
from tests.gateways.test_configuration import written
from tests.services.certificates import Authority, Certificate, self_signed

FEED = b'{"version": 7, "full": true, "now": 1.5, "grants": [], "ends": []}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(FEED), FEED)


class Portal:
    """Answers each request with the next of `answers`; keeps every byte it could read."""

    def __init__(self, *answers: bytes, certificate: Certificate | None = None) -> None:
        self.answers, self.heard, self.connections = list(answers), b"", 0
        self.hang_up_next = False
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.certificate_file, certificate.key_file)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(3)
            try:
                with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as peer:
                    self._answer(peer)
            except OSError:
                connection.close()

    def _answer(self, peer: socket.socket) -> None:
        while heard := peer.recv(65536):
            self.heard += heard
            if self.hang_up_next:
                self.hang_up_next = False
                return
            if not self.answers:
                return
            peer.sendall(self.answers.pop(0))

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def portal(*answers: bytes, certificate: Certificate | None = None) -> Iterator[Portal]:
    running = Portal(*answers, certificate=certificate)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def line(configuration: Configuration, url: str, ca_file: Path | None = None) -> Iterator[PortalClient]:
    opened = PortalClient(dataclasses.replace(configuration, portal_url=url, ca_file=ca_file))
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    return read(written(tmp_path))


def test_one_connection_is_kept_for_many_calls(tmp_path: Path, configuration: Configuration) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("localhost")
    nothing = b"HTTP/1.1 204 No Content\r\n\r\n"
    with (
        portal(OK, nothing, OK, certificate=certificate) as there,
        line(configuration, f"https://localhost:{there.port}", authority.ca_file) as ours,
    ):
        assert ours.feed(0, 1).version == 7
        ours.confirm(7, [17], [])
        assert ours.feed(7, 1).version == 7
        assert there.connections == 1
        # The answer may be here before the other side has noted what it heard.
        proof = b"Authorization: Bearer a-credential-of-this-gateway\r\n"
        assert until(lambda: there.heard.count(proof) == 3)


@pytest.mark.parametrize("fault", ["unknown authority", "wrong name", "expired", "self-signed", "plain"])
def test_a_portal_that_cannot_prove_itself_never_hears_the_credential(
    tmp_path: Path, configuration: Configuration, fault: str
) -> None:
    authority = Authority(tmp_path)
    certificates: dict[str, Certificate | None] = {
        "unknown authority": Authority(tmp_path, "Somebody else").issue("localhost", label="foreign"),
        "wrong name": authority.issue("portal.example.org", label="other"),
        "expired": authority.issue("localhost", label="old", ends_in=-timedelta(hours=1)),
        "self-signed": self_signed(tmp_path, "localhost"),
        "plain": None,
    }
    with (
        portal(OK, certificate=certificates[fault]) as there,
        line(configuration, f"https://localhost:{there.port}", authority.ca_file) as ours,
    ):
        with pytest.raises(PortalUnreachable):
            ours.feed(0, 1)
        assert b"a-credential" not in there.heard


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html></h",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"\x00\xff\r\n\r\n",
        b"",
    ],
)
def test_whatever_is_not_an_answer_is_the_portal_being_away(
    configuration: Configuration, answer: bytes
) -> None:
    with (
        portal(*([answer] if answer else [])) as there,
        line(configuration, f"http://127.0.0.1:{there.port}") as ours,
    ):
        # The truncated one would go on when the connection ends.
        hanging_up = threading.Timer(0.3, ours.close)
        hanging_up.start()
        with pytest.raises(PortalUnreachable) as refused:
            ours.feed(0, 1)
        hanging_up.join()
        assert "a-credential" not in str(refused.value)


def test_after_a_broken_connection_the_next_call_makes_a_new_one(configuration: Configuration) -> None:
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    with portal(closing, OK) as there, line(configuration, f"http://127.0.0.1:{there.port}") as ours:
        assert ours.feed(0, 1).version == 7
        # The one-connection server of this test goes on to the next when we have hung up.
        assert ours.feed(7, 1).version == 7
        assert there.connections == 2


def test_closing_ends_a_call_that_waits(configuration: Configuration) -> None:
    with portal() as there, line(configuration, f"http://127.0.0.1:{there.port}") as ours:
        there.answers.append(b"")
        hanging_up = threading.Timer(0.3, ours.close)
        hanging_up.start()
        with pytest.raises(PortalUnreachable):
            ours.feed(0, 20)
        hanging_up.join()


def test_a_kept_connection_that_the_portal_closed_costs_one_more_try_and_no_failure(
    configuration: Configuration,
) -> None:
    """The portal hangs up while the question is under way, as a server does with a line that was quiet for long."""
    with portal(OK, OK) as there, line(configuration, f"http://127.0.0.1:{there.port}") as ours:
        assert ours.feed(0, 1).version == 7
        there.hang_up_next = True
        assert ours.feed(7, 1).version == 7
        assert there.connections == 2


def test_a_connection_that_was_quiet_for_long_is_not_used_again(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    with portal(OK, OK) as there, line(configuration, f"http://127.0.0.1:{there.port}") as ours:
        assert ours.feed(0, 1).version == 7
        monkeypatch.setattr("gateways.nftables.portal.KEPT_SECONDS", 0.0)
        assert ours.feed(7, 1).version == 7
        assert there.connections == 2


def test_a_portal_that_does_not_answer_in_time_is_not_asked_twice(configuration: Configuration) -> None:
    with portal(OK, b"") as there, line(configuration, f"http://127.0.0.1:{there.port}") as ours:
        assert ours.feed(0, 1).version == 7
        heard = there.heard.count(b"GET ")
        with pytest.raises(PortalUnreachable):
            ours._call("GET", "feed", None, 0.3)
        assert there.heard.count(b"GET ") == heard + 1
