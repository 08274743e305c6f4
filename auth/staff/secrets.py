"""Passwords, second factors and tokens of staff: how each is kept so that a stolen database opens nothing.

- Passwords: argon2id (RFC 9106), 19 MiB, two passes, one lane; one hash at a time, and a short
  queue; another for those whose browser the account does not know.
- The second factor's secret is not stored at all: it is HMAC-SHA-256 over the account's random seed with a key derived
  from the installation's secret. The rows alone give no codes.
- Recovery codes: HMAC-SHA-256 with another derived key. Setup links and browser tokens have 256 random bits: SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from typing import TypeVar

from auth.bulkhead import Bulkhead, FullBulkhead, Shares
from auth.patrons.local import HASHER, opens
from auth.staff.errors import BusyHashing, Weakness, WeakPassword
from auth.staff.totp import read_recovery_code
from config import Secret

Result = TypeVar("Result")

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
# How many of the places in the strangers' queue one address may have.
MOST_OF_ONE_PLACE = 3
SEED_BYTES = 32
# RFC 4226 section 4 asks for 160 bits.
TOTP_SECRET_BYTES = 20
# The hash of an unknown random password: a login without an account costs the same work.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$5jFEL6OtNQ1VUlyhjylbpg$WJYeKqKDGRvPqSEE095JeFPKMY4B3K8f0C6BAFTX8uI"


class StaffSecrets:
    """All that needs the installation's secret or a hash's worth of work. One for each process."""

    def __init__(self, secret: Secret, *, queue: int = 8, wait_seconds: float = 3.0) -> None:
        self._secret = secret.reveal().encode()
        self._hashing = Bulkhead(slots=1, queue=queue, wait_seconds=wait_seconds, stall_seconds=60)
        self._of_strangers = Bulkhead(slots=1, queue=queue, wait_seconds=wait_seconds, stall_seconds=60)
        self._places = Shares(MOST_OF_ONE_PLACE)

    def totp_secret(self, seed: bytes) -> bytes:
        """The second factor's secret of the account with this seed."""
        return self._mac(b"arobase staff second factor", seed)[:TOTP_SECRET_BYTES]

    def recovery_digest(self, staff_id: int, symbols: str) -> str:
        return self._mac(b"arobase staff recovery", f"{staff_id}:{symbols}".encode()).hex()

    def word_digest(self, staff_id: int, word: str) -> str:
        """The digest of the word that goes with a setup link, however it was typed."""
        symbols = "".join(symbol for symbol in word.casefold() if symbol.isalnum())
        return self._mac(b"arobase staff setup word", f"{staff_id}:{symbols}".encode()).hex()

    def user_handle(self, staff_id: int) -> bytes:
        """What the passkeys of an account know their owner by: it names nobody (WebAuthn section 14.6.1)."""
        return self._mac(b"arobase staff user handle", str(staff_id).encode())

    def budget_name(self, login: str) -> str:
        """The login's pseudonym in the keys of rate limits: never the login itself."""
        return self._mac(b"arobase staff budget", login.encode()).hex()[:32]

    def recovery_digests(self, staff_id: int, codes: Iterable[str]) -> list[str]:
        """The digests of the recovery codes of one account, each read as a person may type it."""
        return [self.recovery_digest(staff_id, read_recovery_code(code) or "") for code in codes]

    def hash(self, password: str) -> str:
        """Hash a password that `check_password` has let pass. Raises `BusyHashing`."""
        return self._queued(lambda: HASHER.hash(_folded(password)))

    def opens(self, password_hash: str | None, password: str, *, stranger_at: str | None = None) -> bool:
        """Whether the password is right; the same work where there is no hash. Raises `BusyHashing`.

        `stranger_at` is the source address of an attempt from a browser that the account does not know: those share a
        queue of their own, in which one address has a few places at most.
        """
        if len(password) > LONGEST_PASSWORD:
            password = ""
        right = self._queued(lambda: opens(password_hash or NOBODY, _folded(password)), stranger_at)
        return right and password_hash is not None

    def _queued(self, work: Callable[[], Result], stranger_at: str | None = None) -> Result:
        try:
            if stranger_at is None:
                with self._hashing.slot():
                    return work()
            with self._places.share(stranger_at), self._of_strangers.slot():
                return work()
        except FullBulkhead:
            raise BusyHashing from None

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        key = hmac.new(self._secret, purpose, hashlib.sha256).digest()
        return hmac.new(key, message, hashlib.sha256).digest()


def new_token() -> str:
    """A token of 256 random bits, fit for a link or a cookie."""
    return secrets.token_urlsafe(32)


def new_seed() -> bytes:
    return secrets.token_bytes(SEED_BYTES)


def token_digest(token: str) -> str:
    """The digest under which a token of full strength is stored: not reversible, so no key is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_password(password: str, *, login: str, name: str) -> None:
    """Raises `WeakPassword`: at least 12 characters, more than a few different ones, not the person's own name."""
    folded = _folded(password)
    if len(folded) < SHORTEST_PASSWORD:
        raise WeakPassword(Weakness.SHORT)
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(Weakness.LONG)
    if len(set(folded)) < 5:
        raise WeakPassword(Weakness.MONOTONOUS)
    rest = folded.casefold()
    for word in (login, *name.casefold().split()):
        if len(word) >= 3:
            rest = rest.replace(word, "")
    if len(rest) < SHORTEST_PASSWORD // 2:
        raise WeakPassword(Weakness.NAMED)


def _folded(password: str) -> str:
    """One form of what may be typed in several ways on different keyboards (NFKC, as in RFC 8265 section 4)."""
    return unicodedata.normalize("NFKC", password)
