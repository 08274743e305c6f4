"""Pseudonyms: a person's name in every table of ours. Cannot be computed without the installation's key."""

from __future__ import annotations

from auth.keyed_hashes import KeyedHash
from config import Secret


class Pseudonyms:
    """Makes pseudonyms with a key derived from the installation's secret."""

    def __init__(self, secret: Secret) -> None:
        self._names = KeyedHash(KeyedHash(secret.reveal().encode()).of(b"arobase pseudonyms"))

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of `name` among its kind ("patron", "device"): 32 hexadecimal digits."""
        message = f"{kind}\0{name}".encode()
        return self._names.of(message).hex()[:32]
