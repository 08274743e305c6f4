"""The keys that gateways sign landing tokens with: made from the installation's secret, and kept nowhere."""

from __future__ import annotations

import hashlib
import hmac

from config import Secret


class LandingKeys:
    """One key for each gateway and credential. A stolen database makes none: the portal tells each gateway its own."""

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.new(secret.reveal().encode(), b"arobase landing keys", hashlib.sha256).digest()

    def of(self, credential_digest: str) -> bytes:
        """The key of the gateway whose credential has this digest: 32 bytes, new with every credential."""
        return hmac.new(self._key, bytes.fromhex(credential_digest), hashlib.sha256).digest()
