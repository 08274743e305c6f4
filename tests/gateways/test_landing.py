"""A landing token is exactly one gateway's word about one client, for ten minutes."""

from __future__ import annotations

import base64
import ipaddress
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.landing_token import (
    AUDIENCE,
    LIFE_SECONDS,
    SKEW_SECONDS,
    ExpiredLanding,
    ForeignLanding,
    Landing,
    issuer,
    sign,
    verify,
)
from gateways.types import MacAddress

KEY, OTHER_KEY = bytes(range(32)), bytes(range(32, 64))
NOW = 1_800_000_000.0
ADA = Landing("gare", MacAddress("02:00:00:00:00:01"), ipaddress.ip_address("10.66.0.5"))
TOKEN = sign(ADA, key=KEY, now=NOW)
CLAIMS = {
    "aud": AUDIENCE,
    "iss": "gare",
    "sub": ADA.mac,
    "ip": "10.66.0.5",
    "iat": int(NOW),
    "exp": int(NOW) + LIFE_SECONDS,
}

macs = st.integers(1, 2**48 - 1).map(lambda n: n & ~(1 << 40)).filter(bool)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


def written(number: int) -> MacAddress:
    return MacAddress(":".join(f"{number:012x}"[i : i + 2] for i in range(0, 12, 2)))


def refused(token: str, *, gateway: str = "gare", key: bytes = KEY, now: float = NOW) -> None:
    with pytest.raises(ForeignLanding):
        verify(token, gateway=gateway, key=key, now=now)


@given(macs, addresses, st.floats(0, LIFE_SECONDS - 1))
def test_it_reads_what_was_signed(mac: int, address: ipaddress.IPv4Address, age: float) -> None:
    landing = Landing("gare", written(mac), address)
    token = sign(landing, key=KEY, now=NOW)
    assert issuer(token) == "gare"
    assert verify(token, gateway="gare", key=KEY, now=NOW + age) == landing


def test_every_flipped_bit_is_refused() -> None:
    raw = TOKEN.encode()
    for position in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[position // 8] ^= 1 << position % 8
        text = changed.decode("latin-1")
        if same_bytes(text):
            # The last letter of base64 carries bits that mean nothing.
            continue
        refused(text)


def same_bytes(text: str) -> bool:
    """Whether a changed token still says the same: its signature decodes to the same bytes."""
    head, _, signature = text.rpartition(".")
    ours, _, our_signature = TOKEN.rpartition(".")
    if head != ours:
        return False
    try:
        pad = "=" * (-len(signature) % 4)
        return base64.b64decode(signature + pad, altchars=b"-_", validate=True) == base64.urlsafe_b64decode(
            our_signature + "="
        )
    except ValueError:
        return False


@given(st.text(max_size=400))
def test_it_refuses_whatever_else_comes(text: str) -> None:
    refused(text)
    try:
        issuer(text)
    except ForeignLanding:
        return


def test_it_is_over_after_ten_minutes_to_the_second() -> None:
    assert verify(TOKEN, gateway="gare", key=KEY, now=NOW + LIFE_SECONDS - 1) == ADA
    with pytest.raises(ExpiredLanding):
        verify(TOKEN, gateway="gare", key=KEY, now=NOW + LIFE_SECONDS)


def test_it_is_refused_before_its_time() -> None:
    assert verify(TOKEN, gateway="gare", key=KEY, now=NOW - SKEW_SECONDS) == ADA
    refused(TOKEN, now=NOW - SKEW_SECONDS - 2)


def test_another_gateways_word_is_not_ours() -> None:
    refused(TOKEN, gateway="battant")
    refused(TOKEN, key=OTHER_KEY)
    refused(sign(ADA, key=OTHER_KEY, now=NOW))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "arobase-viewing"},
        {"aud": None},
        {"aud": [AUDIENCE, "other"], "iss": "battant"},
        {"iss": "gar"},
        {"iss": ["gare"]},
        {"sub": "ff:ff:ff:ff:ff:ff"},
        {"sub": 7},
        {"ip": "10.66.0.5/24"},
        {"ip": None},
        {"exp": int(NOW) + 10 * LIFE_SECONDS},
        {"exp": "soon"},
        {"exp": None},
        {"iat": None},
        {"iat": int(NOW) + 7200, "exp": int(NOW) + 7200 + LIFE_SECONDS},
    ],
)
def test_a_token_of_our_key_with_other_claims_is_refused(change: dict[str, object]) -> None:
    claims = {name: value for name, value in (CLAIMS | change).items() if value is not None}
    # Written by hand: the library would not sign some of these.
    refused(jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, algorithm="HS256"))


def test_other_algorithms_are_refused_and_none_first_of_all() -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    for algorithm in ("none", "None", "NONE", "", None, "HS512", "RS256"):
        refused(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(CLAIMS)}.")
        refused(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(CLAIMS)}.{TOKEN.rpartition('.')[2]}")
    refused(jwt.encode(CLAIMS, KEY * 2, algorithm="HS512"))
    refused(jwt.encode(CLAIMS, KEY, algorithm="HS256", headers={"crit": ["exp"], "exp": 1}))
