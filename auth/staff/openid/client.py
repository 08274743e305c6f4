"""The portal as a client of an OpenID provider: the code flow with PKCE (RFC 7636), state and nonce.

What the provider is, it says itself (OpenID Connect Discovery 1.0), and it has to be the very issuer that the operator
named: a group of another tenant is a word that nobody here knows. A token counts for who signed it, whom it is for,
when it was made and which sign-in it answers. The library is loaded with the first sign-in, and not before.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.staff.directory_accounts import DirectoryPerson
from auth.staff.errors import DeclinedByDirectory, ForeignAnswer, StaffDirectoryAway
from auth.staff.openid.provider import Provider, refused
from config.openid import OpenIdSettings

log = logging.getLogger(__name__)

# How far two clocks may be apart.
LEEWAY_SECONDS = 60
BACKCHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_SUBJECT = 255
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class SigninRequest:
    """A sign-in that a browser has begun: what only that browser and the provider's answer know of it."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, its name of their session, when they showed it who they are, and the token that
    asks whether it goes on."""

    person: DirectoryPerson
    session: str | None
    shown_at: float | None
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class Logout:
    """What the provider says is over: all of a person's sign-ins, or the one of a session."""

    subject: str | None
    session: str | None
    jti: str


class EndedAtProvider(Exception):
    """The provider says that this sign-in does not go on (RFC 6749 section 5.2, invalid_grant)."""


def new_request() -> SigninRequest:
    """RFC 7636 section 4.1: a verifier of 43 signs from 256 random bits."""
    return SigninRequest(*(secrets.token_urlsafe(32) for _ in range(3)))


class OpenIdClient:
    """Safe with threads; one for each process."""

    def __init__(self, settings: OpenIdSettings, *, redirect_uri: str) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._provider = Provider(settings)

    @property
    def issuer(self) -> str:
        return self._settings.issuer

    def authorization_url(self, begun: SigninRequest, *, again: bool = False) -> str:
        """Where the browser goes to sign in; `again`: to show anew who it is. Raises `StaffDirectoryAway`."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        url: str = prepare_grant_uri(
            self._provider.metadata()["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=["openid", *self._settings.scopes],
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=create_s256_code_challenge(begun.verifier),
            code_challenge_method="S256",
            acr_values=" ".join(self._settings.acr_values) or None,
            prompt="login" if again else None,
            max_age="0" if again else None,
        )
        return url

    def logout_url(self) -> str | None:
        """Where a person signs out at the provider as well (OpenID Connect RP-Initiated Logout 1.0)."""
        from authlib.common.urls import add_params_to_uri

        end = self._provider.metadata().get("end_session_endpoint")
        if not isinstance(end, str) or not end.startswith(("https://", "http://")):
            return None
        url: str = add_params_to_uri(end, [("client_id", self._settings.client_id)])
        return url

    def finish(
        self, answer: Mapping[str, str], begun: SigninRequest, *, now: datetime, again: bool
    ) -> Vouched:
        """Whom the browser's answer from the provider is about.

        Raises `ForeignAnswer`, `DeclinedByDirectory`, `RefusedAssertion`, `StaffDirectoryAway`.
        """
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise ForeignAnswer
        self._check_issuer(answer)
        if "error" in answer:
            log.warning("the OpenID provider refused a sign-in: %s", answer["error"][:80])
            raise DeclinedByDirectory
        token = self._token(
            "authorization_code",
            code=answer.get("code", ""),
            redirect_uri=self._redirect_uri,
            code_verifier=begun.verifier,
        )
        claims = self._id_token(token, now=now, nonce=begun.nonce)
        shown_at = claims.get("auth_time")
        if again and not (
            isinstance(shown_at, int | float) and shown_at >= now.timestamp() - 2 * LEEWAY_SECONDS
        ):
            raise refused("it was asked for a new sign-in, and does not say that there was one")
        return self._vouched(token, claims)

    def refresh(self, refresh_token: str, *, subject: str, now: datetime) -> Vouched:
        """Whom the provider still vouches for (OpenID Connect Core section 12).

        Raises `EndedAtProvider`, `RefusedAssertion`, `StaffDirectoryAway`.
        """
        try:
            token = self._token("refresh_token", refresh_token=refresh_token)
        except DeclinedByDirectory as error:
            raise EndedAtProvider from error
        if "id_token" not in token and "userinfo_endpoint" not in self._provider.metadata():
            raise StaffDirectoryAway("it renews a sign-in, and does not say whose")
        claims = self._id_token(token, now=now, nonce=None) if "id_token" in token else {"sub": subject}
        if claims["sub"] != subject:
            raise refused("it answered about somebody else")
        vouched = self._vouched(token, claims, is_fresh="id_token" in token)
        if vouched.refresh_token is None:
            # RFC 6749 section 6: without a new one, the old one goes on.
            return Vouched(vouched.person, vouched.session, vouched.shown_at, refresh_token)
        return vouched

    def read_logout(self, token: str, *, now: datetime) -> Logout:
        """What a logout token ends (OpenID Connect Back-Channel Logout 1.0 section 2.6). Raises `RefusedAssertion`,
        `StaffDirectoryAway`."""
        claims, _ = self._provider.verified(token)
        self._validate(claims, now=now)
        events = claims.get("events")
        if not isinstance(events, dict) or BACKCHANNEL_LOGOUT not in events or "nonce" in claims:
            raise refused("it is no logout token")
        subject, session, jti = claims.get("sub"), claims.get("sid"), claims.get("jti")
        if not isinstance(jti, str) or not (isinstance(subject, str) or isinstance(session, str)):
            raise refused("a logout token without sub, sid or jti")
        if not isinstance(claims.get("iat"), int | float) or claims["iat"] < now.timestamp() - 600:
            raise refused("a logout token that is too old")
        return Logout(
            subject if isinstance(subject, str) else None, session if isinstance(session, str) else None, jti
        )

    def _check_issuer(self, answer: Mapping[str, str]) -> None:
        """RFC 9207 section 2.4: the answer has to be this provider's, where it says whose it is or promises to."""
        promised = self._provider.metadata().get("authorization_response_iss_parameter_supported") is True
        if answer.get("iss", self.issuer) != self.issuer or (promised and "iss" not in answer):
            raise refused("the answer names another issuer")

    def _token(self, grant_type: str, **parameters: str) -> dict[str, Any]:
        """Raises `DeclinedByDirectory` for a grant that is not good, or not any more."""
        from authlib.oauth2.auth import ClientAuth
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        known = self._provider.metadata().get("token_endpoint_auth_methods_supported") or [
            "client_secret_basic"
        ]
        method = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
        credentials = ClientAuth(self._settings.client_id, self._settings.client_secret.reveal(), method)
        if not all(parameters.values()):
            raise DeclinedByDirectory
        body = prepare_token_request(grant_type, **parameters)
        url, headers, body = credentials.prepare(
            "POST", self._provider.metadata()["token_endpoint"], dict(_FORM), body
        )
        answer = self._provider.ask("POST", url, headers, body)
        if answer.content.get("error") == "invalid_grant":
            raise DeclinedByDirectory
        if answer.status != 200 or not isinstance(answer.content.get("access_token"), str):
            reason = str(answer.content.get("error", "no token"))[:80]
            raise StaffDirectoryAway(f"its token endpoint answers {answer.status} ({reason})")
        return answer.content

    def _id_token(self, token: dict[str, Any], *, now: datetime, nonce: str | None) -> dict[str, Any]:
        """The claims of an ID token that counts (Core section 3.1.3.7). Raises `RefusedAssertion`."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        claims, header = self._provider.verified(str(token.get("id_token", "")))
        parameters = {
            "nonce": nonce,
            "client_id": self._settings.client_id,
            "access_token": token["access_token"],
        }
        try:
            judged = CodeIDToken(claims, header, self._options(), parameters)
            judged.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise refused(str(error)) from error
        if self._settings.acr_values and claims.get("acr") not in self._settings.acr_values:
            raise refused("the person has not shown who they are in a way that AROBASE_OIDC_ACR_VALUES names")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
            raise refused("it names nobody")
        return claims

    def _validate(self, claims: dict[str, Any], *, now: datetime) -> None:
        """Issuer, audience and times of any token of the provider. Raises `RefusedAssertion`."""
        from joserfc.errors import JoseError
        from joserfc.jwt import JWTClaimsRegistry

        try:
            JWTClaimsRegistry(int(now.timestamp()), LEEWAY_SECONDS, **self._options()).validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise refused(str(error)) from error

    def _options(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
        }

    def _vouched(self, token: dict[str, Any], claims: dict[str, Any], *, is_fresh: bool = True) -> Vouched:
        """The person behind a token; what the ID token does not say, the provider is asked (Core section 5.3)."""
        ours = self._settings
        told = dict(claims)
        if not is_fresh or ours.groups_claim not in told or ours.login_claim not in told:
            told = {**told, **self._userinfo(token["access_token"], claims["sub"])}
        groups = told.get(ours.groups_claim, [])
        names = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        login = told.get(ours.login_claim)
        session, refresh = claims.get("sid"), token.get("refresh_token")
        person = DirectoryPerson(
            issuer=self.issuer,
            subject=claims["sub"],
            login=login if isinstance(login, str) else "",
            name=told["name"] if isinstance(told.get("name"), str) else "",
            groups=frozenset(name for name in names if isinstance(name, str)),
        )
        return Vouched(
            person,
            session[:LONGEST_SUBJECT] if isinstance(session, str) else None,
            claims.get("auth_time"),
            refresh if isinstance(refresh, str) and refresh else None,
        )

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says of the person, and of nobody else (Core section 5.3.2)."""
        url = self._provider.metadata().get("userinfo_endpoint")
        if not isinstance(url, str):
            return {}
        answer = self._provider.ask("GET", url, {"Authorization": f"Bearer {access_token}"})
        if answer.status in (401, 403):
            raise refused("it does not say who the person is")
        if answer.status != 200:
            raise StaffDirectoryAway(f"its userinfo endpoint answers {answer.status}")
        if answer.content.get("sub") != subject:
            raise refused("it answered about somebody else")
        return answer.content
