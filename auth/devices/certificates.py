"""Certificates for EAP-TLS (RFC 5216, RFC 9190): of the authority, of FreeRADIUS, of devices.

The library is loaded by the first that is made, and not with the portal. RSA throughout: it is what every phone of the
last ten years takes in a profile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

AUTHORITY_LIFE = timedelta(days=3650)
# Apple's systems take no server certificate of a private authority that is good for longer than 825 days.
SERVER_LIFE = timedelta(days=730)
AUTHORITY_BITS, BITS = 3072, 2048
# Clocks of phones differ.
EARLIER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, both as PEM (RFC 7468); the key unencrypted, as PKCS #8."""

    certificate: str
    key: str = field(repr=False)


def make_authority(name: str, *, now: datetime, key: str | None = None) -> KeyPair:
    """An authority of this name; with `key`, the same one anew, which whoever trusts the former trusts too."""
    from cryptography import x509

    own = _new_key(AUTHORITY_BITS) if key is None else _read_key(key)
    subject = _name(name)
    builder = (
        _begun(subject, own.public_key(), issuer=subject, now=now, until=now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )
    return _signed(builder, own, own)


def make_server(authority: KeyPair, host: str, *, now: datetime) -> KeyPair:
    """The certificate that FreeRADIUS shows to devices, which expect `host` in it. It ends with its authority's."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    own, issuer = _new_key(BITS), _read(authority.certificate)
    until = min(now + SERVER_LIFE, issuer.not_valid_after_utc)
    builder = (
        _begun(_name(host), own.public_key(), issuer=issuer.subject, now=now, until=until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_usage(), critical=True)
    )
    return _signed(builder, own, _read_key(authority.key))


def make_device(authority: KeyPair, *, until: datetime, now: datetime) -> tuple[KeyPair, str]:
    """The certificate of a device, good until then, and its serial number.

    Its subject is the serial number and nothing else: it tells nobody whose it is.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    own, issuer = _new_key(BITS), _read(authority.certificate)
    number = x509.random_serial_number()
    serial = f"{number:040x}"
    builder = (
        _begun(
            _name(f"device-{serial}"),
            own.public_key(),
            issuer=issuer.subject,
            now=now,
            until=until,
            number=number,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(_usage(), critical=True)
    )
    return _signed(builder, own, _read_key(authority.key)), serial


def server_name(portal_url: str) -> str:
    """The name that FreeRADIUS shows and devices expect: the portal's own."""
    return urlsplit(portal_url).hostname or ""


def bundle(pair: KeyPair, name: str, password: str) -> bytes:
    """Key and certificate as PKCS #12 (RFC 7292); an empty password is one too.

    Encrypted by triple DES and SHA-1, which is the one way that every system reads; it comes over TLS, and the password
    beside it.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat, pkcs12

    way = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
    way = way.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        _read_key(pair.key),
        _read(pair.certificate),
        None,
        way.build(password.encode()) if password else NoEncryption(),
    )


def der(certificate: str) -> bytes:
    """A certificate in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return _read(certificate).public_bytes(Encoding.DER)


def fingerprint(certificate: str, *, algorithm: str = "sha256") -> str:
    """The fingerprint of a certificate: hexadecimal digits, in pairs with colons."""
    import hashlib

    return hashlib.new(algorithm, der(certificate), usedforsecurity=False).digest().hex(":").upper()


def ends_at(certificate: str) -> datetime:
    return _read(certificate).not_valid_after_utc


def name_of(certificate: str) -> str:
    """The common name of a certificate's subject."""
    return str(_read(certificate).subject.rdns[0].rfc4514_string()).removeprefix("CN=")


def _begun(
    subject: x509.Name,
    public_key: rsa.RSAPublicKey,
    *,
    issuer: x509.Name,
    now: datetime,
    until: datetime,
    number: int | None = None,
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number() if number is None else number)
        .not_valid_before(now - EARLIER)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, own: rsa.RSAPrivateKey, by: rsa.RSAPrivateKey) -> KeyPair:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    made = builder.add_extension(authority, critical=False).sign(by, hashes.SHA256())
    return KeyPair(
        made.public_bytes(Encoding.PEM).decode(),
        own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_encipherment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _new_key(bits: int) -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _read_key(text: str) -> rsa.RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(text.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _read(text: str) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(text.encode())
