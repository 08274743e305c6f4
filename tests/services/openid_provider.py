"""A small OpenID provider over real HTTP: discovery, the code flow with PKCE, refresh tokens that change, keys that
change, userinfo and back-channel logout, each as its standard has it. What a broken or hostile one says is set by
a test.

    with running_provider(clock) as provider:
        provider.people["ada"] = Person("248289", "ada.martin", "Ada Martin", ["wifi-desk"])
        back = provider.sign_in("ada", authorization_url)
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from config import OpenIdSettings, Secret

CLIENT, SECRET = "arobase", "the portal's own secret at the provider, 5d1e"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Person:
    """Somebody whom the provider knows."""

    subject: str
    login: str
    name: str
    groups: list[str] = field(default_factory=list)


@dataclass
class Grant:
    """What a code or a refresh token was given for."""

    person: Person
    session: str
    asked: dict[str, str]
    is_spent: bool = False


class OpenIdProvider:
    """`changes` are put over the claims of each ID token; `is_down` answers 500 to everything."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self.url, self.clock = url, clock
        self.people: dict[str, Person] = {}
        self.changes: dict[str, Any] = {}
        self.metadata_changes: dict[str, Any] = {}
        self.is_down = False
        # Held until a test lets it go: a provider that accepts a connection, and says nothing.
        self.is_silent = threading.Event()
        self.go_on = threading.Event()
        self.groups_in_token = True
        # Who is signed in at the provider with the browser that comes.
        self.at_browser = ""
        self.asked: list[str] = []
        self._grants: dict[str, Grant] = {}
        self._key = key_number(1)
        # What signs ID tokens in the place of the key.
        self.signer: Callable[[dict[str, Any]], str] | None = None

    def settings(self, **changes: Any) -> OpenIdSettings:
        """Settings that work, with `changes` to them."""
        values: dict[str, Any] = {
            "issuer": self.url,
            "client_id": CLIENT,
            "client_secret": Secret(SECRET),
            "timeout_seconds": 2.0,
        }
        return OpenIdSettings(**{**values, **changes})

    def sign_in(self, who: str, authorization_url: str) -> str:
        """Where the browser is sent back to, once this person has signed in at the provider."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._grants[code] = Grant(self.people[who], secrets.token_urlsafe(8), asked)
        answer = {"code": code, "state": asked["state"], "iss": self.url}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def rotate_keys(self) -> None:
        """Sign with another key from now on, and publish that one alone."""
        self._key = key_number(2)

    def forget(self, who: str) -> None:
        """The person is gone: no code and no refresh token of theirs is good any more."""
        gone = self.people.pop(who)
        self._grants = {name: one for name, one in self._grants.items() if one.person is not gone}

    def session_of(self, who: str) -> str:
        return next(one.session for one in self._grants.values() if one.person is self.people[who])

    def logout_token(self, **changes: Any) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(8),
            "events": {LOGOUT_EVENT: {}},
        }
        return self.sign({name: one for name, one in {**claims, **changes}.items() if one is not None})

    def sign(self, claims: dict[str, Any], *, key: Any = None, algorithm: str = "RS256") -> str:
        header = {"alg": algorithm, "kid": self._key.kid}
        return jwt.encode(header, claims, key or self._key, algorithms=[algorithm])

    def sign_with_another_key(self, claims: dict[str, Any]) -> str:
        return self.sign(claims, key=key_number(3))

    def sign_with_the_public_key(self, claims: dict[str, Any]) -> str:
        """The old trick: an HMAC whose secret is what everybody may read (RFC 8725 section 2.1)."""
        signed = f"{packed({'alg': 'HS256', 'kid': self._key.kid})}.{packed(claims)}"
        secret = self._key.as_pem(private=False)
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def sign_with_nothing(self, claims: dict[str, Any]) -> str:
        return f"{packed({'alg': 'none'})}.{packed(claims)}."

    def answer(
        self, method: str, path: str, form: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.is_silent.is_set():
            self.go_on.wait(30)
        if self.is_down:
            return 500, {}
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return 200, self._metadata()
            case "GET", "/keys":
                return 200, {"keys": [self._key.as_dict(private=False)]}
            case "POST", "/token":
                return self._token(form, headers.get("authorization", ""))
            case "GET", "/userinfo":
                return self._userinfo(headers.get("authorization", ""))
        return 404, {}

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata_changes,
        }

    def _token(self, form: dict[str, str], credentials: str) -> tuple[int, dict[str, Any]]:
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if credentials != f"Basic {wanted}":
            return 401, {"error": "invalid_client"}
        name = form.get("code") or form.get("refresh_token", "")
        grant = self._grants.get(name)
        if grant is None or grant.is_spent:
            return 400, {"error": "invalid_grant"}
        if form["grant_type"] == "authorization_code":
            challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
            packed = base64.urlsafe_b64encode(challenge).decode().rstrip("=")
            if packed != grant.asked["code_challenge"] or form["redirect_uri"] != grant.asked["redirect_uri"]:
                return 400, {"error": "invalid_grant"}
        grant.is_spent = True
        fresh, access = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._grants[fresh] = Grant(grant.person, grant.session, grant.asked)
        self._grants[access] = Grant(grant.person, grant.session, grant.asked)
        claims = self._claims(grant, with_nonce=form["grant_type"] == "authorization_code")
        return 200, {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": fresh,
            "id_token": self.signer(claims) if self.signer else self.sign(claims),
        }

    def _claims(self, grant: Grant, *, with_nonce: bool) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": grant.person.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "sid": grant.session,
            "name": grant.person.name,
            "preferred_username": grant.person.login,
        }
        if self.groups_in_token:
            claims["groups"] = grant.person.groups
        if with_nonce:
            claims["nonce"] = grant.asked["nonce"]
        return {name: one for name, one in {**claims, **self.changes}.items() if one is not None}

    def _userinfo(self, credentials: str) -> tuple[int, dict[str, Any]]:
        grant = self._grants.get(credentials.removeprefix("Bearer "))
        if grant is None:
            return 401, {}
        person = grant.person
        return 200, {
            "sub": person.subject,
            "name": person.name,
            "preferred_username": person.login,
            "groups": person.groups,
        }


def packed(value: dict[str, Any]) -> str:
    """A part of a JWT (RFC 7515 section 3)."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@functools.cache
def key_number(number: int) -> RSAKey:
    """One of the keys of this process's providers: to make one costs a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": f"key-{number}", "use": "sig"})


@contextmanager
def running_provider(clock: Callable[[], datetime]) -> Iterator[OpenIdProvider]:
    """A provider on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(self.path).path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.sign_in(provider.at_browser, self.path))
                self.end_headers()
                return
            self._answer("GET", {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer("POST", {name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, method: str, form: dict[str, str]) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            status, content = provider.answer(method, urlsplit(self.path).path, form, headers)
            octets = json.dumps(content).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)
            except OSError:
                # Whoever asked has given up.
                return

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = OpenIdProvider(f"http://127.0.0.1:{server.server_port}", clock)
    thread = threading.Thread(target=server.serve_forever, name="openid provider")
    thread.start()
    try:
        yield provider
    finally:
        provider.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
