"""What the browser brings from an openNDS gateway to its FAS, decoded strictly.

openNDS 9.10 and 10.x, documentation "Forwarding Authentication Service (FAS)": ``?fas=`` is base64 of a text
``name=value, name=value``, at levels 2 and 3 encrypted with AES-256-CBC under the faskey, with ``iv=`` beside it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote

from gateways.types import InvalidMac, MacAddress, parse_mac

LONGEST = 8192
_HEX64 = re.compile(r"[0-9a-f]{64}")
_IV = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[a-z0-9_-]{1,40}")
# openNDS' own word for it, in a URL and in logs: nothing that a browser or a shell reads as more.
_WORD = re.compile(r"[A-Za-z0-9._ :-]{0,80}")
_NULL = "(null)"


class BadLanding(ValueError):
    """The query is not one that this gateway makes: cut short, made up, or under another faskey.

    The text says which, for the operator's log; it repeats nothing of what came.
    """


@dataclass(frozen=True, slots=True)
class FasLanding:
    """A client in front of an openNDS gateway, by the gateway's own text.

    `hid` is the hashed token of its stay before sign-in: a new one for each, and after each restart of the gateway.
    `gateway_hash` is how authmon names the gateway; `gateway_address` where its own web server listens.
    """

    hid: str
    mac: MacAddress
    address: ipaddress.IPv4Address
    client_type: str
    client_interface: str
    gateway_hash: str
    gateway_mac: MacAddress | None
    gateway_address: str
    auth_folder: str
    version: str
    origin_url: str


def read_landing(fas: str, iv: str | None, faskey: str) -> FasLanding:
    """Read ``fas`` and ``iv`` as they stand in the query after its decoding. Without `iv` nothing is encrypted.

    Raises `BadLanding`. An encrypted text has no seal of its own, but what was not made with `faskey` does not decode
    to a text with the fields that all have.
    """
    if len(fas) > LONGEST:
        raise BadLanding("longer than any that a gateway makes")
    # The query is not percent-encoded: a plus sign of base64 arrives as a space.
    raw = _base64(fas.replace(" ", "+"))
    if iv is not None:
        raw = _decrypted(raw, iv, faskey)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLanding("no text: another faskey, or no landing at all") from error
    return _landing(read_fields(text))


def rhid(hid: str, faskey: str) -> str:
    """The word that lets in the client with this `hid`: only who has the faskey can say it."""
    return hashlib.sha256((hid + faskey).encode()).hexdigest()


def read_fields(text: str) -> dict[str, str]:
    """The fields of a text ``name=value, name=value``, as they stand; the first of a name counts.

    What openNDS prints for parameters that it does not have is left out.
    """
    fields: dict[str, str] = {}
    for item in text.split(", "):
        name, equals, value = item.partition("=")
        if equals and _NAME.fullmatch(name) and name not in fields and value != _NULL:
            fields[name] = value
    return fields


def _landing(fields: dict[str, str]) -> FasLanding:
    try:
        name = fields["gatewayname"]
        hid, authdir = fields["hid"], fields.get("authdir", "opennds_auth")
        gateway_mac = fields.get("gatewaymac", "")
        landing = FasLanding(
            hid=hid,
            mac=parse_mac(fields["clientmac"]),
            address=ipaddress.IPv4Address(fields["clientip"]),
            client_type=_word(fields.get("client_type", "")),
            client_interface=_word(fields.get("clientif", "")),
            gateway_hash=hashlib.sha256(name.encode()).hexdigest(),
            gateway_mac=parse_mac(gateway_mac) if gateway_mac else None,
            gateway_address=_socket(fields["gatewayaddress"]),
            auth_folder=authdir,
            version=_word(fields.get("version", "")),
            origin_url=unquote(fields.get("originurl", ""))[:2000],
        )
    except KeyError as error:
        raise BadLanding(f"without {error.args[0]}: another faskey, or no landing at all") from error
    except (InvalidMac, ipaddress.AddressValueError, ValueError) as error:
        raise BadLanding("an address in it is none") from error
    if not _HEX64.fullmatch(hid):
        raise BadLanding("its hid is not 64 digits")
    if not re.fullmatch(r"[a-z_]{1,40}", authdir):
        raise BadLanding("its authdir is not one word")
    return landing


def _socket(text: str) -> str:
    host, colon, port = text.partition(":")
    ipaddress.IPv4Address(host)
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError("no port")
    return text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError("not a plain word")
    return text


def _base64(text: str | bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadLanding("not base64") from error


def _decrypted(raw: bytes, iv: str, faskey: str) -> bytes:
    """AES-256-CBC with PKCS#7 padding as openNDS has PHP do it: key padded or cut to 32 bytes, iv as its characters."""
    if not _IV.fullmatch(iv):
        raise BadLanding("its iv is not 16 digits")
    sealed = _base64(raw)
    if not sealed or len(sealed) % 16:
        raise BadLanding("cut short")
    # Loaded by gateways that encrypt alone: it is heavy, and few have one.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = faskey.encode()[:32].ljust(32, b"\0")
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(iv.encode())).decryptor()
    text = decryptor.update(sealed) + decryptor.finalize()
    padding = text[-1]
    if not 1 <= padding <= 16 or text[-padding:] != bytes([padding]) * padding:
        raise BadLanding("another faskey")
    return text[:-padding]
