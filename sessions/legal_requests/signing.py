"""Signatures that anybody can check with the public key alone: Ed25519 (RFC 8032).

PyNaCl is loaded when something is signed or checked, and not before: a portal that
answers no requisition does not carry it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import cached_property
from typing import TYPE_CHECKING

from config import Secret

if TYPE_CHECKING:
    from nacl.signing import SigningKey

# What stands before the 32 bytes of the key: SubjectPublicKeyInfo of id-Ed25519 (RFC 8410 section 4).
HEAD = bytes.fromhex("302a300506032b6570032100")
BEGIN, END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
KEY_BYTES, SIGNATURE_BYTES = 32, 64


class UnreadableKey(Exception):
    """That is no public Ed25519 key."""


class Signer:
    """Signs with the installation's own key, which is derived from its secret. One for each process."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    @cached_property
    def _key(self) -> SigningKey:
        from nacl.signing import SigningKey

        seed = hmac.new(self._secret.reveal().encode(), b"arobase requisition signature", hashlib.sha256)
        return SigningKey(seed.digest())

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self._key.sign(message).signature

    def public_key(self) -> bytes:
        """The public key as PEM (SubjectPublicKeyInfo, RFC 8410)."""
        text = base64.b64encode(HEAD + bytes(self._key.verify_key)).decode()
        return f"{BEGIN}\n{text}\n{END}\n".encode()


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether `signature` is the owner's of `public_key` (PEM) under `message`. Raises `UnreadableKey`."""
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey

    key = VerifyKey(_raw(public_key))
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        key.verify(message, signature)
    except BadSignatureError:
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """SHA-256 over the key (DER), as people compare it: eight groups of eight digits. Raises `UnreadableKey`."""
    digest = hashlib.sha256(HEAD + _raw(public_key)).hexdigest()
    return " ".join(digest[start : start + 8] for start in range(0, 64, 8))


def _raw(public_key: bytes) -> bytes:
    """The 32 bytes of a key in PEM."""
    lines = public_key.decode("ascii", "replace").split()
    text = "".join(lines).removeprefix(BEGIN.replace(" ", "")).removesuffix(END.replace(" ", ""))
    try:
        der = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableKey from error
    if len(der) != len(HEAD) + KEY_BYTES or not der.startswith(HEAD):
        raise UnreadableKey
    return der[len(HEAD) :]
