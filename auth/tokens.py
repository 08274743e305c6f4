"""The portal's own signed tokens (JWT, HS256). Each has one purpose and dies by itself; none is a grant."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import jwt

from auth.denials import N_, OPENS_AT, Denial, Incident, ProblemWords, declare
from config import Secret

# There is no other kind of token that it could be taken for (RFC 7519, section 5.1).
UNTYPED: dict[str, Any] = {"typ": None}
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
    """Seals and opens tokens with one key for each purpose, all derived from the installation's secret."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret.reveal().encode()

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
        times: dict[str, Any] = {"exp": round((now + life).timestamp(), 3)}
        if is_numbered:
            times["jti"] = jti or secrets.token_urlsafe(12)
        if not_before is not None:
            times["nbf"] = round(not_before.timestamp(), 3)
        if issuer is not None:
            times["iss"] = issuer
        return jwt.encode(
            {**claims, **times, "aud": purpose}, self._key(purpose), algorithm="HS256", headers=UNTYPED
        )

    def verify(self, purpose: str, token: str, *, now: datetime, issuer: str | None = None) -> dict[str, Any]:
        """The claims of a token sealed for `purpose`, and by `issuer` where one is named.

        Raises `ExpiredToken`, `EarlyToken` (its signature was right) or `InvalidToken`.
        """
        options: Any = {
            "require": ["exp", "aud"] if issuer is None else ["exp", "aud", "jti", "iss"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        }
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(purpose),
                algorithms=["HS256"],
                audience=purpose,
                issuer=issuer,
                options=options,
            )
            expires, begins = float(claims["exp"]), float(claims.get("nbf", 0.0))
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from error
        if now.timestamp() >= expires:
            raise ExpiredToken(claims)
        if now.timestamp() < begins:
            raise EarlyToken(datetime.fromtimestamp(begins, tz=now.tzinfo))
        return claims

    def _key(self, purpose: str) -> bytes:
        return hmac.new(self._secret, b"arobase token " + purpose.encode(), hashlib.sha256).digest()
