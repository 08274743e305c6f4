"""One message to one person: over a real server with TLS and a sign-in, and over lines that break or stall."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import MailSecurity, Secret, SmtpSettings
from portal.mail import Attachment, MailError, Message, UncertainDelivery, WrongRecipient, send
from tests.services.certificates import Authority
from tests.services.smtp_server import smtp_server

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
MESSAGE = Message("ada@example.org", "Votre accès au wifi", "Bonjour,\n.\n.fin\r.\r\n" + "wifi " * 300 + "\n")


@pytest.mark.parametrize("security", list(MailSecurity))
def test_a_message_arrives_as_it_was_written(tmp_path: Path, security: MailSecurity) -> None:
    with smtp_server(tmp_path, security) as mailbox:
        pdf = Attachment("pass.pdf", "application/pdf", b"%PDF-1.7\r\n.\r\n\xff")
        send(mailbox.smtp, replace(MESSAGE, attachments=(pdf,)), now=NOW)
        [envelope], [message] = mailbox.envelopes, mailbox.messages
    assert (envelope.mail_from, envelope.rcpt_tos) == ("wifi@example.org", ["ada@example.org"])
    assert message["From"] == "wifi@example.org"
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == MESSAGE.subject
    assert message["Date"] == "Sat, 28 Nov 2026 09:30:00 +0000"
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_body()
    assert body is not None
    assert body["Content-Transfer-Encoding"] == "quoted-printable"
    assert body.get_content().splitlines() == MESSAGE.text.splitlines()
    [attached] = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("pass.pdf", pdf.content)


def test_a_server_that_knows_login_alone_is_signed_in_to(tmp_path: Path) -> None:
    with smtp_server(tmp_path, exclude=("PLAIN",)) as mailbox:
        send(mailbox.smtp, MESSAGE, now=NOW)
        assert len(mailbox.envelopes) == 1


def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    with smtp_server(tmp_path) as mailbox:
        with pytest.raises(MailError, match=r"refuses our user and password \(535"):
            send(replace(mailbox.smtp, password=Secret("wrong")), MESSAGE, now=NOW)
        assert not mailbox.envelopes


def test_no_word_is_said_to_a_server_of_another_name_or_authority(tmp_path: Path) -> None:
    with smtp_server(tmp_path, name="other.example.org") as mailbox:
        with pytest.raises(MailError, match="certificate is for another"):
            send(mailbox.smtp, MESSAGE, now=NOW)
        strangers = Authority(tmp_path, "Strangers").ca_file
        with pytest.raises(MailError, match="unknown authority"):
            send(replace(mailbox.smtp, ca_file=strangers), MESSAGE, now=NOW)
        assert not mailbox.envelopes


def test_a_server_without_starttls_is_told_no_password(tmp_path: Path) -> None:
    with smtp_server(tmp_path, MailSecurity.NONE) as mailbox:
        with pytest.raises(MailError, match="offers no STARTTLS"):
            send(replace(mailbox.smtp, security=MailSecurity.STARTTLS, user="u"), MESSAGE, now=NOW)
        assert not mailbox.envelopes


@pytest.mark.parametrize(
    ("at", "answer", "kind", "words"),
    [
        ("RCPT", "550 5.1.1 <ada@example.org> unknown", WrongRecipient, r"recipient \(550 5\.1\.1\)$"),
        ("RCPT", "450 4.2.1 ada@example.org is full", MailError, r"recipient \(450 4\.2\.1\)$"),
        ("MAIL", "553 5.7.1 not yours", MailError, r"AROBASE_MAIL_FROM \(553 5\.7\.1\)$"),
        ("DATA", "554 spam, says ada@example.org", MailError, r"the message \(554\)$"),
    ],
)
def test_a_refusal_is_told_by_its_number_and_never_by_the_address(
    tmp_path: Path, at: str, answer: str, kind: type[MailError], words: str
) -> None:
    with smtp_server(tmp_path, MailSecurity.NONE) as mailbox:
        mailbox.answers[at] = answer
        with pytest.raises(MailError, match=words) as caught:
            send(mailbox.smtp, MESSAGE, now=NOW)
        assert type(caught.value) is kind
        assert "ada" not in caught.value.reason


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\nBcc: eve@example.org", "ada@example.org\r\nDATA", "ada@example.org, eve@example.org",
        "Ada <ada@example.org>", "ada@example.org>", "ada", "ada@localhost", "@example.org", "ada@", "", " ",
        "ada@exam ple.org", "ada@example.org\x00", "ada..b@example.org", "ä@example.org", "a" * 65 + "@example.org",
        "ada@" + "x" * 64 + ".org", "ada@192.0.2.7", "ada@[192.0.2.7]",
    ],
)  # fmt: skip
def test_what_is_no_single_address_goes_nowhere(address: str) -> None:
    with pytest.raises(WrongRecipient):
        send(_NOWHERE, replace(MESSAGE, to=address), now=NOW)


@pytest.mark.parametrize(
    "subject", ["Pass\nBcc: eve@example.org", "Pass\r\n\r\nbody", "Pass\u2028Bcc: x", "a\x00"]
)
def test_a_subject_becomes_no_second_header(subject: str) -> None:
    with pytest.raises(MailError, match="subject"):
        send(_NOWHERE, replace(MESSAGE, subject=subject), now=NOW)


def test_an_address_in_a_domain_with_accents_is_reached(tmp_path: Path) -> None:
    with smtp_server(tmp_path, MailSecurity.NONE) as mailbox:
        send(mailbox.smtp, replace(MESSAGE, to="ada@Besançon.fr"), now=NOW)
        assert mailbox.envelopes[0].rcpt_tos == ["ada@xn--besanon-yxa.fr"]


# What a server says that lets bytes drip: each is well within any time-out of a single read.
_DRIPS = {
    "greeting": (b"",),
    "long greeting": (b"220-" + b"x" * 60,),
    "answer to EHLO": (b"220 here\r\n", b"250-"),
}


@pytest.mark.parametrize("said", list(_DRIPS.values()), ids=list(_DRIPS))
def test_a_server_that_drips_ends_with_the_deadline(said: tuple[bytes, ...]) -> None:
    def drip(line: socket.socket, over: threading.Event) -> None:
        for part in said:
            line.sendall(part)
        while not over.wait(0.05):
            line.sendall(b"x")

    with _line_to(drip) as smtp:
        began = time.monotonic()
        with pytest.raises(MailError, match="no answer in time"):
            send(smtp, MESSAGE, now=NOW, deadline_seconds=0.6)
        assert time.monotonic() - began < 15


def test_a_line_that_breaks_after_the_message_leaves_it_uncertain() -> None:
    def take_and_break(line: socket.socket, _over: threading.Event) -> None:
        line.sendall(b"220 here\r\n")
        for answer in (b"250 here\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"):
            line.recv(4096)
            line.sendall(answer)
        taken = b""
        while not taken.endswith(b"\r\n.\r\n"):
            taken += line.recv(4096)

    with _line_to(take_and_break) as smtp, pytest.raises(UncertainDelivery):
        send(smtp, MESSAGE, now=NOW)


def test_what_is_slipped_in_before_tls_is_not_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate_file, files.key_file)

    def inject(line: socket.socket, _over: threading.Event) -> None:
        line.sendall(b"220 here\r\n")
        line.recv(4096)
        line.sendall(b"250-here\r\n250 STARTTLS\r\n")
        line.recv(4096)
        line.sendall(b"220 go\r\n250-here\r\n250 AUTH PLAIN\r\n235 welcome\r\n")
        with context.wrap_socket(line, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"250 here\r\n")
            secured.recv(4096)

    with _line_to(inject) as smtp:
        smtp = replace(smtp, security=MailSecurity.STARTTLS, user="u", ca_file=authority.ca_file)
        with pytest.raises(MailError, match="offers no way to sign in"):
            send(smtp, MESSAGE, now=NOW)


def test_nobody_listening_is_told_in_words() -> None:
    with pytest.raises(MailError, match="refuses the connection"):
        send(_NOWHERE, MESSAGE, now=NOW)


@contextmanager
def _line_to(script: Callable[[socket.socket, threading.Event], None]) -> Iterator[SmtpSettings]:
    """A server for one connection that says what `script` says."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            with line:
                try:
                    script(line, over)
                except OSError:
                    # The client has left.
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            port = listener.getsockname()[1]
            yield SmtpSettings("127.0.0.1", port, MailSecurity.NONE, "wifi@example.org")
        finally:
            over.set()
            thread.join()


# Port 1 (tcpmux) on loopback: nobody listens there.
_NOWHERE = SmtpSettings("127.0.0.1", 1, MailSecurity.NONE, "wifi@example.org")
