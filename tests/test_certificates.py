"""A certificate as a phone judges it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.certificates import check_certificate, check_served, served_days
from config.findings import Severity
from lab.authority import Certificate, issue, make_authority

HOST = "portal.example.org"
NOW = datetime.fromtimestamp(time.time(), UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    return make_authority(tmp_path)


def test_a_good_one_tells_its_days_and_warns_before_they_are_over(
    authority: Certificate, tmp_path: Path
) -> None:
    made = issue(authority, tmp_path, "portal", [HOST])
    ca = authority.certificate
    right = check_certificate(made.certificate, made.key, HOST, now=NOW, authorities=ca)
    assert right.severity is Severity.GOOD and "days more" in right.sentence
    late = check_certificate(made.certificate, made.key, HOST, now=NOW + timedelta(days=20), authorities=ca)
    assert late.severity is Severity.WARNING and "expires in" in late.sentence


def test_what_keeps_phones_out_is_told(authority: Certificate, tmp_path: Path) -> None:
    made = issue(authority, tmp_path, "portal", [HOST])
    other = issue(authority, tmp_path, "other", ["other.example.org"])
    ca, text = authority.certificate, tmp_path / "text.pem"
    text.write_text("no certificate")
    for certificate, key, authorities, words in (
        (other.certificate, other.key, ca, "does not hold the portal's name"),
        (made.certificate, other.key, ca, "the key of another certificate"),
        (made.certificate, made.key, None, "chain"),
        (tmp_path / "none.pem", made.key, ca, "none.pem is missing"),
        (made.certificate, tmp_path / "none.key", ca, "none.key is missing"),
        (text, made.key, ca, "cannot be read as PEM"),
    ):
        found = check_certificate(certificate, key, HOST, now=NOW, authorities=authorities)
        assert found.severity is Severity.FAULT and words in found.sentence, found


def test_one_that_has_expired_is_told(tmp_path: Path) -> None:
    certificate, key = tmp_path / "old.pem", tmp_path / "old.key"
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    made = made.not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW - timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    pem = serialization.Encoding.PEM
    certificate.write_bytes(made.sign(private, hashes.SHA256()).public_bytes(pem))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(private.private_bytes(pem, form, plain))
    found = check_certificate(certificate, key, HOST, now=NOW, authorities=certificate)
    assert found.severity is Severity.FAULT and "has expired" in found.sentence


@contextmanager
def front(made: Certificate) -> Iterator[int]:
    """A server that shows a certificate to whoever connects; its port."""
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(made.certificate, made.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        # Who does not like the certificate goes in the middle of the handshake.
        with suppress(OSError), line, shown.wrap_socket(line, server_side=True) as secured:
            secured.recv(1)

    answering = threading.Thread(target=serve, daemon=True)
    answering.start()
    yield listener.getsockname()[1]
    answering.join(10)
    listener.close()


def test_a_front_that_shows_an_older_certificate_is_told(authority: Certificate, tmp_path: Path) -> None:
    made = issue(authority, tmp_path, "portal", [HOST])
    renewed = issue(authority, tmp_path, "renewed", [HOST])
    with front(made) as port:
        assert check_served(made.certificate, "127.0.0.1", port).severity is Severity.GOOD
    with front(made) as port:
        answer = check_served(renewed.certificate, "127.0.0.1", port)
    assert answer.severity is Severity.WARNING and "systemctl reload arobase-front" in answer.sentence
    away = check_served(made.certificate, "127.0.0.1", port)
    assert away.severity is Severity.FAULT and "nothing answers" in away.sentence
    assert check_served(tmp_path / "none.pem", "127.0.0.1", port).severity is Severity.WARNING


def test_what_is_shown_is_judged_as_a_phone_does(authority: Certificate, tmp_path: Path) -> None:
    made = issue(authority, tmp_path, "portal", [HOST])
    with front(made) as port:
        days = served_days(HOST, port, now=NOW, authorities=authority.certificate, address="127.0.0.1")
    assert days > 0
    with front(made) as port, pytest.raises(ssl.SSLCertVerificationError):
        served_days(HOST, port, now=NOW, address="127.0.0.1")
    with pytest.raises(ConnectionError):
        served_days(HOST, port, now=NOW, address="127.0.0.1")
