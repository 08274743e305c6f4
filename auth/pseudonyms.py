"""Pseudonyms: a person's name in every table of ours. Cannot be computed without the installation's key."""

from __future__ import annotations

import hmac

from config import Secret


class Pseudonyms:
    """Makes pseudonyms with a key derived from the installation's secret."""

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.digest(secret.reveal().encode(), b"arobase pseudonyms", "sha256")

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of `name` among its kind ("patron", "device"): 32 hexadecimal digits."""
        message = f"{kind}\0{name}".encode()
        return hmac.digest(self._key, message, "sha256").hex()[:32]
