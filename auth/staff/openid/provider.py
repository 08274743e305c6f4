"""The provider itself: what it says of its addresses and keys, asked behind a bulkhead and a breaker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from auth.bulkhead import Breaker, Bulkhead, FullBulkhead, OpenBreaker
from auth.staff.errors import RefusedAssertion, StaffDirectoryAway
from auth.staff.openid.transport import Answer, ProviderTransport
from config.openid import OpenIdSettings

log = logging.getLogger(__name__)

# Signatures that only the provider can make: none by a shared secret, and never "none" (RFC 8725 section 3.1).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# How long what the provider says of itself is believed, and how soon its keys may be asked for anew.
METADATA_SECONDS, KEYS_AGAIN_SECONDS = 3600.0, 10.0
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """Safe with threads; one for each process. At most four requests wait for it at once."""

    def __init__(self, settings: OpenIdSettings) -> None:
        self.issuer = settings.issuer
        self._transport = ProviderTransport(settings)
        self._bulkhead = Bulkhead(slots=4, queue=8, wait_seconds=settings.timeout_seconds)
        self._breaker = Breaker("the OpenID provider")
        self._lock = threading.Lock()
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, Any] | None = None

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself. Raises `StaffDirectoryAway`."""
        from authlib.oidc.discovery import OpenIDProviderMetadata

        with self._lock:
            kept = self._metadata
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        answer = self.ask("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        # Discovery section 4.3: the issuer has to be the one that was asked, letter for letter.
        if answer.content.get("issuer") != self.issuer:
            raise StaffDirectoryAway(f"it calls itself {str(answer.content.get('issuer'))[:200]!r}")
        found = OpenIDProviderMetadata(answer.content)
        if self.issuer.startswith("https://"):
            try:
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    getattr(found, f"validate_{name}")()
            except ValueError as error:
                raise StaffDirectoryAway(f"what it says of itself: {error}") from error
        if missing := [name for name in _ENDPOINTS if not isinstance(answer.content.get(name), str)]:
            raise StaffDirectoryAway(f"what it says of itself lacks {', '.join(missing)}")
        with self._lock:
            self._metadata = (time.monotonic() + METADATA_SECONDS, answer.content)
        return answer.content

    def verified(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Claims and header of a token that one of the provider's present keys has signed. Raises `RefusedAssertion`.

        A key that is not known yet is asked for once: providers change theirs (Core section 10.1.1).
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        for is_last in (False, True):
            try:
                found = jwt.decode(token, self._key_set(anew=is_last), algorithms=list(ALGORITHMS))
                return dict(found.claims), dict(found.header)
            except (JoseError, ValueError, TypeError) as error:
                if is_last:
                    raise refused(f"its signature: {type(error).__name__}") from error
        raise AssertionError("one of the two has returned or raised")

    def _key_set(self, *, anew: bool) -> Any:
        from joserfc.jwk import KeySet

        with self._lock:
            kept = self._keys
        if kept is not None and (not anew or time.monotonic() < kept[0]):
            return kept[1]
        answer = self.ask("GET", self.metadata()["jwks_uri"])
        try:
            keys = KeySet.import_key_set({"keys": answer.content["keys"]})
        except Exception as error:
            raise StaffDirectoryAway(f"its keys cannot be read: {type(error).__name__}") from error
        with self._lock:
            self._keys = (time.monotonic() + KEYS_AGAIN_SECONDS, keys)
        return keys

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Answer:
        """Ask behind both guards. Raises `StaffDirectoryAway`."""
        try:
            with self._bulkhead.slot():
                self._breaker.admit()
                if method == "POST":
                    answer = self._transport.post(url, body or "", headers or {})
                else:
                    answer = self._transport.get(url, headers)
        except FullBulkhead:
            raise StaffDirectoryAway("every slot is taken: the provider is slow", 2) from None
        except OpenBreaker as error:
            raise StaffDirectoryAway(
                "it failed several times in a row", max(1, round(error.seconds))
            ) from None
        except StaffDirectoryAway as error:
            self._breaker.failed(error.cause)
            log.warning("the OpenID provider: %s", error.cause)
            raise
        if answer.status >= 500:
            self._breaker.failed(f"it answers {answer.status}")
            raise StaffDirectoryAway(f"it answers {answer.status}")
        self._breaker.succeeded()
        return answer


def refused(cause: str) -> RefusedAssertion:
    """The cause is for the operator: it names no person."""
    log.warning("an answer of the OpenID provider is refused: %s", cause)
    return RefusedAssertion()
