"""The authority's certificate as towns have it: every usual form is read, and what is none says what it is."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from config import Settings
from config.authorities import read_authorities
from tests.services.certificates import Authority
from tests.test_config import GOOD, LDAP, faults_of

DER = serialization.Encoding.DER
PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return Authority(tmp_path_factory.mktemp("authority")).ca_file.read_bytes()


def forms(pem: bytes) -> dict[str, bytes]:
    certificate = x509.load_pem_x509_certificate(pem)
    text = pem.decode()
    return {
        "pem": pem,
        "pem with a mark and Windows line ends": "\ufeff".encode() + pem.replace(b"\n", b"\r\n"),
        "pem in UTF-16": text.encode("utf-16"),
        "pem with words around": b"Subject: CN=Town\n" + pem + b"\nthat was it\n",
        "pem twice": pem + pem,
        "pem without a last line break": pem.rstrip(),
        "der": certificate.public_bytes(DER),
        "pkcs7 der": pkcs7.serialize_certificates([certificate], DER),
        "pkcs7 pem": pkcs7.serialize_certificates([certificate, certificate], PEM),
        "openssl's trusted": text.replace("CERTIFICATE", "TRUSTED CERTIFICATE").encode(),
        "under its older name": text.replace("CERTIFICATE", "X509 CERTIFICATE").encode(),
    }


@pytest.mark.parametrize("form", range(11))
def test_every_usual_form_is_read(pem: bytes, form: int, tmp_path: Path) -> None:
    content = list(forms(pem).values())[form]
    path = tmp_path / "ca.crt"
    path.write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=read_authorities(path))
    assert context.get_ca_certs(binary_form=True) == [x509.load_pem_x509_certificate(pem).public_bytes(DER)]
    ldap = Settings.from_env({**GOOD, **LDAP, "AROBASE_LDAP_CA_FILE": str(path)}).ldap
    assert ldap is not None and ldap.ca_file == path


def wrong(pem: bytes) -> list[tuple[str, bytes]]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = x509.load_pem_x509_certificate(pem)
    traditional, pkcs8 = (
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.PrivateFormat.PKCS8,
    )
    plain = serialization.NoEncryption()
    name = x509.Name([])
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key, certificate.signature_hash_algorithm)
    )  # type: ignore[arg-type]
    return [
        ("is empty", b""),
        ("is empty", b" \r\n"),
        ("private key", key.private_bytes(PEM, pkcs8, plain)),
        ("private key", key.private_bytes(PEM, traditional, plain)),
        ("private key", key.private_bytes(DER, pkcs8, plain)),
        ("PKCS#12", pkcs12.serialize_key_and_certificates(b"x", key, None, [certificate], plain)),
        ("request for a certificate", request.public_bytes(PEM)),
        ("revoked", b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"),
        ("no whole certificate", pem[:200]),
        ("no certificate", b"<!doctype html><html>"),
        ("no certificate", b"AROBASE_LDAP_CA_FILE=/etc/ca.pem\n"),
        ("damaged", pem.replace(b"\nMI", b"\nAA", 1)),
        ("cut off", certificate.public_bytes(DER)[:100]),
        ("cut off", certificate.public_bytes(DER)[:-10]),
        ("damaged", b"0"),
        ("indefinite length", b"0\x80\x06\x09\x00\x00"),
        ("larger than a megabyte", b"x" * 2_000_000),
        ("without certificates", bytes.fromhex("300f06092a864886f70d010701a0020400")),
    ]


@pytest.mark.parametrize("number", range(18))
def test_what_holds_no_certificate_says_what_it_is(pem: bytes, number: int, tmp_path: Path) -> None:
    words, content = wrong(pem)[number]
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    (fault,) = faults_of({**GOOD, **LDAP, "AROBASE_LDAP_CA_FILE": str(path)})
    assert fault.startswith(f"AROBASE_LDAP_CA_FILE names {path}, which ")
    assert words in fault


def test_a_file_of_somebody_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(b"")

    def refuse(*_arguments: object, **_words: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Root, as whom the tests may run, is refused no file.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"cannot be read: .*Permission denied"):
        read_authorities(path)
