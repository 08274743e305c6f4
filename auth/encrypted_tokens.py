"""The portal's own tokens that nobody else can read: what a browser keeps for its owner and a page must not show.

XSalsa20-Poly1305 by libsodium (NaCl's secretbox): encrypted and authenticated in one, with a key of its own for each
purpose, derived from the installation's secret. A token is bytes in base64 for addresses (RFC 4648 section 5).
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auth.keyed_hashes import KeyedHash
from auth.tokens import ExpiredToken, InvalidToken, base64url_encode, from_json, to_json
from config import Secret

if TYPE_CHECKING:
    from nacl.secret import SecretBox


class EncryptedTokens:
    """Encrypts and decrypts. PyNaCl is loaded with the first token, and not before."""

    def __init__(self, secret: Secret) -> None:
        self._keys = KeyedHash(secret.reveal().encode())
        self._boxes: dict[str, SecretBox] = {}

    def encrypt(self, purpose: str, claims: dict[str, Any], *, now: datetime, life: timedelta) -> str:
        """A token with `claims` for `purpose`, valid until `now + life`."""
        plain = to_json({**claims, "exp": (now + life).timestamp()})
        return _written(self._box(purpose).encrypt(plain))

    def decrypt(self, purpose: str, token: str, *, now: datetime) -> dict[str, Any]:
        """The claims of a token for `purpose`. Raises `InvalidToken`, or `ExpiredToken` for one that was good."""
        from nacl.exceptions import CryptoError

        try:
            box = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if _written(box) != token:
                # The last symbol has bits that say nothing (RFC 4648, section 3.5): one token has one form.
                raise InvalidToken("not as it was written")
            claims: dict[str, Any] = from_json(self._box(purpose).decrypt(box))
        except (CryptoError, ValueError) as error:
            raise InvalidToken(type(error).__name__) from error
        if now.timestamp() >= claims["exp"]:
            raise ExpiredToken(claims)
        return claims

    def _box(self, purpose: str) -> SecretBox:
        if purpose not in self._boxes:
            from nacl.secret import SecretBox

            self._boxes[purpose] = SecretBox(self._keys.of(b"arobase encrypted token " + purpose.encode()))
        return self._boxes[purpose]


def _written(box: bytes) -> str:
    return base64url_encode(box).decode()
