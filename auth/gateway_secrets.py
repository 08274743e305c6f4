"""What a gateway and the portal both know: made from the installation's secret and the gateway's credential.

Nothing of it is stored. A stolen database makes none of it, what a gateway needs can be shown again, and all of it is
new with every credential.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac

from config import Secret


class GatewaySecrets:
    """The key that a gateway signs landing tokens with, and the secrets that are typed into boxes of others."""

    def __init__(self, secret: Secret) -> None:
        self._landing = _key(secret, b"arobase landing keys")
        self._typed = _key(secret, b"arobase gateway secrets")

    def landing_key(self, credential_digest: str) -> bytes:
        """The key of landing tokens for the gateway whose credential has this digest: 32 bytes."""
        return _mac(self._landing, bytes.fromhex(credential_digest))

    def typed(self, credential_digest: str, purpose: str) -> str:
        """A secret for one purpose: 52 of a-z and 2-7, which every box takes; its first 32 are 160 bits."""
        return _typed(self._typed, credential_digest, purpose)


@functools.lru_cache(maxsize=1024)
def _typed(key: bytes, credential_digest: str, purpose: str) -> str:
    """Asked with each packet of a gateway that speaks RADIUS."""
    digest = _mac(key, bytes.fromhex(credential_digest) + purpose.encode())
    return base64.b32encode(digest).decode().rstrip("=").lower()


def _key(secret: Secret, purpose: bytes) -> bytes:
    return _mac(secret.reveal().encode(), purpose)


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
