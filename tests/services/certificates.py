"""A certificate authority for one test run: it lives as long as the folder that its files are in."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate and its key, both PEM."""

    certificate_file: Path
    key_file: Path


class Authority:
    """Issues certificates into `folder`; `ca_file` is what trusts them."""

    def __init__(self, folder: Path, name: str = "Test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        signed = _builder(self._name, self._name, self._key, timedelta(days=1)).add_extension(
            basic, critical=True
        )
        self.ca_file = folder / f"{name.lower().replace(' ', '-')}.pem"
        self.ca_file.write_bytes(_pem(signed.sign(self._key, hashes.SHA256())))

    def issue(
        self, *names: str, label: str = "server", ends_in: timedelta = timedelta(days=90)
    ) -> Certificate:
        """A server certificate for `names` (hosts or addresses). A negative `ends_in` has it expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self._name, key, ends_in)
        builder = builder.add_extension(_alternatives(names), critical=False)
        return _write(self._folder, label, key, builder.sign(self._key, hashes.SHA256()))


def self_signed(folder: Path, *names: str, label: str = "self-signed") -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(names[0]), _name(names[0]), key, timedelta(days=1))
    builder = builder.add_extension(_alternatives(names), critical=False)
    return _write(folder, label, key, builder.sign(key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends_in: timedelta
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(time.time(), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + ends_in)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternatives(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(found)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(
    folder: Path, label: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> Certificate:
    files = Certificate(folder / f"{label}.pem", folder / f"{label}.key")
    files.certificate_file.write_bytes(_pem(certificate))
    files.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files
