"""The portal's own tokens: what a JWT must refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import jwt
import pytest

from auth.tokens import EarlyToken, ExpiredToken, InvalidToken, Tokens
from config import Secret
from tests.clock import NOON

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
TOKENS = Tokens(Secret(SECRET))
KEY = hmac.digest(SECRET.encode(), b"arobase token visit", "sha256")
HOUR = timedelta(hours=1)
# As PyJWT is told to write no type.
UNTYPED = {"typ": None}


def seal(**claims: object) -> str:
    return TOKENS.sign("visit", claims, now=NOON, life=HOUR)


def test_it_gives_back_what_was_sealed() -> None:
    assert TOKENS.verify("visit", seal(mac="a"), now=NOON)["mac"] == "a"


def test_two_tokens_of_the_same_claims_differ() -> None:
    assert seal(mac="a") != seal(mac="a")


@pytest.mark.parametrize("later", [HOUR, 2 * HOUR])
def test_it_refuses_an_expired_token(later: timedelta) -> None:
    with pytest.raises(ExpiredToken):
        TOKENS.verify("visit", seal(), now=NOON + later)


def test_it_refuses_a_token_before_its_time_and_says_when() -> None:
    token = TOKENS.sign("ticket", {}, now=NOON, life=HOUR, not_before=NOON + timedelta(seconds=5))
    with pytest.raises(EarlyToken) as caught:
        TOKENS.verify("ticket", token, now=NOON + timedelta(seconds=4))
    assert caught.value.opens_at == NOON + timedelta(seconds=5)
    TOKENS.verify("ticket", token, now=NOON + timedelta(seconds=5))


def test_it_refuses_a_token_made_for_something_else() -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify("ticket", seal(), now=NOON)


def test_each_purpose_has_a_key_of_its_own() -> None:
    """A token that names another purpose than the one whose key signed it."""
    secret = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
    claims = {"aud": "ticket", "exp": (NOON + HOUR).timestamp(), "jti": "1"}

    def signed_for(purpose: str) -> str:
        key = hmac.new(secret, b"arobase token " + purpose.encode(), hashlib.sha256).digest()
        return jwt.encode(claims, key, algorithm="HS256", headers=UNTYPED)

    assert TOKENS.verify("ticket", signed_for("ticket"), now=NOON)["jti"] == "1"
    for other in ("visit", ""):
        with pytest.raises(InvalidToken):
            TOKENS.verify("ticket", signed_for(other), now=NOON)


def test_it_refuses_a_token_of_another_installation() -> None:
    other = Tokens(Secret("another installation's key, long enough"))
    with pytest.raises(InvalidToken):
        other.verify("visit", seal(), now=NOON)


def test_it_refuses_every_flipped_bit() -> None:
    head, body, signature = seal(mac="02:00:00:00:00:01").split(".")
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    for position in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[position // 8] ^= 1 << position % 8
        forged = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        with pytest.raises(InvalidToken):
            TOKENS.verify("visit", f"{head}.{forged}.{signature}", now=NOON)


def test_it_refuses_a_token_without_a_signature() -> None:
    claims = {"aud": "visit", "exp": (NOON + HOUR).timestamp(), "jti": "x"}
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", jwt.encode(claims, None, algorithm="none"), now=NOON)


@pytest.mark.parametrize("missing", ["aud", "exp", "jti", "iss"])
def test_it_refuses_a_token_with_a_claim_missing(missing: str) -> None:
    """Number and issuer are asked of those that name an issuer."""
    claims = {"aud": "visit", "exp": (NOON + HOUR).timestamp(), "jti": "x", "iss": "us"}
    assert TOKENS.verify("visit", by_pyjwt(claims), now=NOON, issuer="us") == claims
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", by_pyjwt(claims), now=NOON, issuer="another town")
    del claims[missing]
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", by_pyjwt(claims), now=NOON, issuer="us")


def by_pyjwt(claims: dict[str, object]) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256", headers=UNTYPED)


def test_what_was_sealed_is_a_jwt_that_others_read() -> None:
    claims = jwt.decode(
        seal(mac="a"),
        KEY,
        algorithms=["HS256"],
        audience="visit",
        options={"require": ["exp", "aud", "jti"], "verify_exp": False},
    )
    assert claims["mac"] == "a"


@pytest.mark.parametrize("header", ['{"alg":"HS512"}', '{"alg":"none" }', '{"alg":"HS256","typ":"JWT"}'])
def test_it_refuses_every_header_but_its_own(header: str) -> None:
    """Sealed with our own key, and with claims that are good (RFC 8725, section 3.1)."""
    head = base64.urlsafe_b64encode(header.encode()).rstrip(b"=")
    body = head + b"." + seal().encode().split(b".")[1]
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", TOKENS._sealed("visit", body).decode(), now=NOON)


def test_it_refuses_an_unknown_critical_header() -> None:
    claims = {"aud": "visit", "exp": (NOON + HOUR).timestamp(), "jti": "x"}
    token = jwt.encode(claims, KEY, algorithm="HS256", headers={**UNTYPED, "crit": ["b64x"], "b64x": 1})
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", token, now=NOON)


@pytest.mark.parametrize("garbage", ["", "a", "a.b", "a.b.c", "é" * 40, json.dumps({"a": 1}), "." * 5000])
def test_it_refuses_garbage(garbage: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.verify("visit", garbage, now=NOON)
