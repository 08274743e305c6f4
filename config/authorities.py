"""The authority that signed the directory's certificate, in whatever form a town has it, as PEM."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)-----END \1-----")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_PFX_DATA = bytes.fromhex("2a864886f70d010701")
_INTEGER, _OBJECT, _SEQUENCE, _CONTEXT_0 = 0x02, 0x06, 0x30, 0xA0
_MOST_BYTES = 1024 * 1024
_FORMS = "PEM (-----BEGIN CERTIFICATE-----), DER or PKCS#7"


def read_authorities(path: Path) -> str:
    """The certificates in a file as PEM, from PEM, DER or PKCS#7, UTF-16 and marks of order included.

    Raises ValueError that says what the file is instead.
    """
    if path.is_dir():
        raise ValueError(f"names a folder, {path}: name the file with the authority's certificate")
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"names no file: {path}") from None
    except OSError as error:
        raise ValueError(f"names a file that cannot be read: {path}: {error.strerror}") from None
    try:
        found = list(_certificates(content))
        text = "".join(ssl.DER_cert_to_PEM_cert(one) for one in found)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, IndexError, ssl.SSLError) as error:
        reason = str(error) if type(error) is ValueError else "holds a certificate that is damaged"
        raise ValueError(f"names {path}, which {reason}") from None
    return text


def _certificates(content: bytes) -> Iterator[bytes]:
    """Each certificate in DER."""
    if not content.strip():
        raise ValueError("is empty")
    if len(content) > _MOST_BYTES:
        raise ValueError("is larger than a megabyte: it is no certificate")
    if content[0] == _SEQUENCE:
        yield from _from_der(content)
        return
    text = _text(content)
    blocks = [(name, ssl.PEM_cert_to_DER_cert(_armour(body))) for name, body in _PEM.findall(text)]
    found = [der for name, der in blocks if name in ("CERTIFICATE", "X509 CERTIFICATE")]
    found += [_first(der) for name, der in blocks if name == "TRUSTED CERTIFICATE"]
    for name, der in blocks:
        if name in ("PKCS7", "CMS"):
            found += _from_der(der)
    if not found:
        raise ValueError(_what_instead({name for name, _ in blocks}, text))
    yield from found


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _armour(body: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body.strip()}\n-----END CERTIFICATE-----\n"


def _what_instead(names: set[str], text: str) -> str:
    if any("PRIVATE KEY" in name for name in names):
        return "holds a private key and no certificate: keep that key secret, and name the authority's certificate"
    if any("REQUEST" in name for name in names):
        return "holds a request for a certificate: name the certificate of the authority that answers it"
    if "X509 CRL" in names:
        return "holds a list of revoked certificates: name the authority's certificate"
    if "-----BEGIN" in text:
        return f"holds no whole certificate: the forms that are read are {_FORMS}"
    return f"holds no certificate: the forms that are read are {_FORMS}"


def _from_der(content: bytes) -> list[bytes]:
    """The certificates of a DER file: a certificate itself (RFC 5280), or those of a PKCS#7 (RFC 5652 section 5.1)."""
    outer = list(_elements(_first(content), inside=True))
    if outer[0][0] == _OBJECT:
        if _value(outer[0][1]) != _SIGNED_DATA:
            raise ValueError("holds a message without certificates (PKCS#7)")
        signed = next(_elements(outer[1][1], inside=True))[1]
        lists = [element for tag, element in _elements(signed, inside=True) if tag == _CONTEXT_0]
        found = [
            element for part in lists for tag, element in _elements(part, inside=True) if tag == _SEQUENCE
        ]
        if not found:
            raise ValueError("holds a message without certificates (PKCS#7)")
        return found
    if outer[0][0] == _INTEGER:
        is_pfx = _PFX_DATA in content[:64] or _SIGNED_DATA in content[:64]
        kind = "a store of keys (PKCS#12, .p12 or .pfx)" if is_pfx else "a private key"
        raise ValueError(f"holds {kind}: export the authority's certificate alone, without its key")
    return [_first(content)]


def _first(der: bytes) -> bytes:
    return next(_elements(der, inside=False))[1]


def _value(element: bytes) -> bytes:
    return element[_head(element, 0)[0] :]


def _elements(der: bytes, *, inside: bool) -> Iterator[tuple[int, bytes]]:
    """The elements of `der`, or of the element that it is: tag, and the whole element."""
    at, end = (_head(der, 0)[0], len(der)) if inside else (0, len(der))
    while at < end:
        begins, length = _head(der, at)
        if begins + length > len(der):
            raise ValueError("is cut off")
        yield der[at], der[at : begins + length]
        at = begins + length


def _head(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the element at `at` begins, and how long it is (X.690 section 8.1.3)."""
    length = der[at + 1]
    if length < 0x80:
        return at + 2, length
    size = length & 0x7F
    if size == 0 or size > 4:
        raise ValueError("is no DER (BER of indefinite length): save it as PEM")
    return at + 2 + size, int.from_bytes(der[at + 2 : at + 2 + size], "big")
