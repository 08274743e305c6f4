"""The portal's own tokens that nobody else can read: what a browser keeps for its owner and a page must not show.

XSalsa20-Poly1305 by libsodium (NaCl's secretbox): encrypted and authenticated in one, with a key of its own for each
purpose, derived from the installation's secret. A token is bytes in base64 for addresses (RFC 4648 section 5).
"""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from auth.keyed_hashes import KeyedHash
from auth.tokens import ExpiredToken, InvalidToken
from config import Secret


class EncryptedTokens:
    """Encrypts and decrypts. PyNaCl is loaded with the first token, and not before."""

    def __init__(self, secret: Secret) -> None:
        self._keys = KeyedHash(secret.reveal().encode())

    def encrypt(self, purpose: str, claims: dict[str, Any], *, now: datetime, life: timedelta) -> str:
        """A token with `claims` for `purpose`, valid until `now + life`."""
        from nacl.secret import SecretBox

        plain = json.dumps({**claims, "exp": (now + life).timestamp()}, separators=(",", ":")).encode()
        return _written(SecretBox(self._key(purpose)).encrypt(plain))

    def decrypt(self, purpose: str, token: str, *, now: datetime) -> dict[str, Any]:
        """The claims of a token for `purpose`. Raises `InvalidToken`, or `ExpiredToken` for one that was good."""
        from nacl.exceptions import CryptoError
        from nacl.secret import SecretBox

        try:
            box = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            if _written(box) != token:
                # The last symbol has bits that say nothing (RFC 4648, section 3.5): one token has one form.
                raise InvalidToken("not as it was written")
            claims: dict[str, Any] = json.loads(SecretBox(self._key(purpose)).decrypt(box))
        except (CryptoError, ValueError) as error:
            raise InvalidToken(type(error).__name__) from error
        if now.timestamp() >= claims["exp"]:
            raise ExpiredToken(claims)
        return claims

    def _key(self, purpose: str) -> bytes:
        return self._keys.of(b"arobase encrypted token " + purpose.encode())


def _written(box: bytes) -> str:
    return base64.urlsafe_b64encode(box).decode().rstrip("=")
