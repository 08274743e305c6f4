"""The portal's own signed tokens (JWT, HS256). Each has one purpose and dies by itself; none is a grant."""

from __future__ import annotations

import hmac
import json
import secrets
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from typing import Any

from auth.denials import N_, OPENS_AT, Denial, Incident, ProblemWords, declare
from auth.keyed_hashes import KeyedHash
from config import Secret

# Made once: `json.dumps` and `json.loads` look at each call which of them is wanted, and make an encoder anew.
_pieces = c_make_encoder(None, None, encode_basestring_ascii, None, ":", ",", False, False, True)
_read = json.JSONDecoder().raw_decode
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def to_json(claims: dict[str, Any]) -> bytes:
    """These claims, without a space between them. Raises TypeError for what JSON does not have."""
    return "".join(_pieces(claims, 0)).encode()


def from_json(octets: bytes) -> Any:
    """What `to_json` wrote. Raises `ValueError` where it is none."""
    return _read(octets.decode())[0]


def base64url_encode(octets: bytes) -> bytes:
    """Letters for an address, without the signs that fill up (RFC 7515, section 2)."""
    return b2a_base64(octets, newline=False).translate(_TO_URL).rstrip(b"=")


def base64url_decode(letters: bytes) -> bytes:
    """The octets of such letters, which a seal has shown to be ours. Raises `ValueError` where they are none."""
    return a2b_base64(letters.translate(_FROM_URL) + b"==")


# Who lives as long as this counts in whole seconds.
LONG = timedelta(hours=12)
# The first part of each: one algorithm, and no type, for there is no other kind of token that it could be taken for
# (RFC 7519, section 5.1; RFC 8725, section 3.1). What begins otherwise is none of ours, whatever it says.
HEADER = base64url_encode(b'{"alg":"HS256"}') + b"."
_OF_ANOTHER = N_("This page is not for this device.")
_BEGIN_AGAIN = N_("Begin again with the button, on the device that you want to connect.")


class InvalidToken(Denial):
    """Not ours, changed, or made for something else."""

    reason = declare(
        "foreign_page",
        HTTPStatus.FORBIDDEN,
        _OF_ANOTHER,
        _BEGIN_AGAIN,
        api=ProblemWords(_OF_ANOTHER, _BEGIN_AGAIN, type="other-device"),
        incident=Incident(
            N_("Page of another device"),
            N_(
                "The link or page was made for another device than the one that sent it: a link that was passed on, "
                "an address that changed meanwhile, or somebody who tried."
            ),
            N_("Switch the wifi off and on, and open the portal's page on the device itself."),
        ),
    )


class ExpiredToken(InvalidToken):
    """Ours, and too old. `claims` is what it said, where it was read so far."""

    def __init__(self, claims: dict[str, Any] | None = None) -> None:
        super().__init__("too old")
        self.claims = claims or {}

    reason = declare(
        "expired_page",
        HTTPStatus.GONE,
        N_("This page has been open for too long."),
        N_("Begin again with the button. For your safety, what was typed is not kept."),
        incident=Incident(
            N_("Page too old"),
            N_("The page had been open for more than half an hour when its button was pressed."),
            N_("Begin again with the button; nothing is lost."),
        ),
    )


@dataclass(eq=False)
class EarlyToken(InvalidToken):
    """Ours, and not valid before `opens_at`."""

    reason = declare(
        "too_early",
        HTTPStatus.FORBIDDEN,
        _OF_ANOTHER,
        _BEGIN_AGAIN,
        incident=Incident(
            N_("Button pressed too early"),
            N_("The message has to stay for some seconds before it can be accepted."),
            N_("Wait the seconds that the page says, then press the same button again."),
            report=N_("Message accepted before its time was over"),
        ),
        facts=OPENS_AT,
    )
    opens_at: datetime


class Tokens:
    """Seals and opens tokens with one key for each purpose, all derived from the installation's secret.

    A page has several, and each phone brings two or three: one is compared, letter for letter, with what would have
    been sealed here, and read only then. A library that reads any JWT takes five times as long for it.
    """

    def __init__(self, secret: Secret) -> None:
        self._derived = KeyedHash(secret.reveal().encode())
        self._keys: dict[str, KeyedHash] = {}

    def sign(
        self,
        purpose: str,
        claims: dict[str, Any],
        *,
        now: datetime,
        life: timedelta,
        not_before: datetime | None = None,
        issuer: str | None = None,
        jti: str | None = None,
        is_numbered: bool = True,
    ) -> str:
        """Sign `claims` for `purpose`, valid from `not_before` (or now) until `now + life`.

        What goes out of the house for long names its `issuer`, and has an identifier (`jti`) that a row knows. Without
        a number are those of which a page has many, and nobody asks whether it is the same one: they stay short.
        """
        # So tokens are as long as each other: a page of the crowd is compressed once for each length.
        expires = (now + life).timestamp()
        times: dict[str, Any] = {"exp": round(expires, 3) if life < LONG else round(expires)}
        if is_numbered:
            times["jti"] = jti or secrets.token_urlsafe(12)
        if not_before is not None:
            times["nbf"] = round(not_before.timestamp(), 3)
        if issuer is not None:
            times["iss"] = issuer
        told = to_json({**claims, **times, "aud": purpose})
        return self._sealed(purpose, HEADER + base64url_encode(told)).decode()

    def verify(self, purpose: str, token: str, *, now: datetime, issuer: str | None = None) -> dict[str, Any]:
        """The claims of a token sealed for `purpose`, and by `issuer` where one is named.

        Raises `ExpiredToken`, `EarlyToken` (its signature was right) or `InvalidToken`.
        """
        claims = self._opened(purpose, token)
        if claims.get("aud") != purpose or (issuer is not None and not _is_issued(claims, issuer)):
            raise InvalidToken("made for something else")
        try:
            expires, begins = float(claims["exp"]), float(claims.get("nbf", 0.0))
        except (KeyError, ValueError, TypeError) as error:
            raise InvalidToken("without a time") from error
        if now.timestamp() >= expires:
            raise ExpiredToken(claims)
        if now.timestamp() < begins:
            raise EarlyToken(datetime.fromtimestamp(begins, tz=now.tzinfo))
        return claims

    def _opened(self, purpose: str, token: str) -> dict[str, Any]:
        """What a token says that was sealed with the key of this purpose. Nothing of any other is read."""
        try:
            sealed = token.encode()
            body, _, _ = sealed.rpartition(b".")
            is_ours = body.startswith(HEADER) and hmac.compare_digest(self._sealed(purpose, body), sealed)
            claims = from_json(base64url_decode(body[len(HEADER) :])) if is_ours else None
        except ValueError as error:
            raise InvalidToken("not a token") from error
        if not isinstance(claims, dict):
            raise InvalidToken("not sealed here")
        return claims

    def _sealed(self, purpose: str, body: bytes) -> bytes:
        """Header and claims with their signature (RFC 7515, section 3.1)."""
        return body + b"." + base64url_encode(self._key(purpose).of(body))

    def _key(self, purpose: str) -> KeyedHash:
        if purpose not in self._keys:
            self._keys[purpose] = KeyedHash(self._derived.of(b"arobase token " + purpose.encode()))
        return self._keys[purpose]


def _is_issued(claims: dict[str, Any], issuer: str) -> bool:
    return claims.get("iss") == issuer and isinstance(claims.get("jti"), str)
