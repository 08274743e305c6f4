"""The names of passes: a keyed hash for the code, a pseudonym for the pass. The code itself is kept nowhere."""

from __future__ import annotations

from auth.keyed_hashes import KeyedHash
from auth.pseudonyms import Pseudonyms
from config import Secret


class VoucherKeys:
    """Hashes codes with a key derived from the installation's secret: without it a stolen database opens nothing."""

    def __init__(self, secret: Secret) -> None:
        own = KeyedHash(secret.reveal().encode())
        self._codes = KeyedHash(own.of(b"arobase vouchers"))
        self._draws = KeyedHash(own.of(b"arobase voucher draws"))
        self._pseudonyms = Pseudonyms(secret)

    def digest(self, code: str) -> str:
        """HMAC-SHA-256 of nine symbols, as 64 hexadecimal digits."""
        return self._codes.of(code.encode()).hex()

    def draw_key(self, *parts: bytes) -> bytes:
        """A key to draw codes from, made of the installation's secret and all of these parts."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return self._draws.of(message)

    def subject(self, voucher_id: int) -> str:
        """The pass's pseudonym in entitlements and access sessions."""
        return self._pseudonyms.of("voucher", str(voucher_id))
