"""HMAC-SHA-256 with a key that is used again and again (RFC 2104)."""

from __future__ import annotations

import hashlib

BLOCK = 64
_INNER, _OUTER = bytes(each ^ 0x36 for each in range(256)), bytes(each ^ 0x5C for each in range(256))


class KeyedHash:
    """Hashes under one key.

    `hmac.digest` hands Python's lock to another thread at each call, for what takes two microseconds: an eighth of all
    switches between threads while passes are redeemed. This keeps it, and makes the key ready once (section 4).
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        self._inner, self._outer = (hashlib.sha256(block.translate(pad)) for pad in (_INNER, _OUTER))

    def of(self, message: bytes) -> bytes:
        """The 32 octets for this message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()
