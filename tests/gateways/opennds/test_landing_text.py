"""openNDS landings are decoded as they were seen on the wire, and nothing else is one."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from gateways.opennds import landing as module
from gateways.opennds.landing import BadLanding, read_landing, rhid

WIRE = Path(module.__file__).parent / "wire"
FASKEY = "labkey0123456789"
VECTORS = sorted(path.stem for path in WIRE.glob("level-*.txt"))
PLAIN = (
    "hid={hid}, clientip=10.88.0.11, clientmac=02:00:00:00:01:0b, client_type=cpd_can, "
    "gatewayname=Lab%20Cafe, gatewayaddress=10.88.0.1:2050, gatewaymac=020000000001, "
    "originurl=http%3a%2f%2fa, clientif=br"
)
HID = "0f" * 32


def vector(name: str) -> tuple[str, str | None, str, str]:
    """The query's fas and iv, the decoded text, and the rhid."""
    request, text, last = (WIRE / f"{name}.txt").read_text(encoding="ascii").splitlines()[1:]
    query = parse_qs(request.partition("?")[2])
    return query["fas"][0], query["iv"][0] if "iv" in query else None, text, last.split()[1]


def plain(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def encrypted(text: bytes, iv: str = "0123456789abcdef") -> str:
    padded = text + bytes([16 - len(text) % 16]) * (16 - len(text) % 16)
    encryptor = Cipher(
        algorithms.AES256(FASKEY.encode().ljust(32, b"\0")), modes.CBC(iv.encode())
    ).encryptor()
    return base64.b64encode(base64.b64encode(encryptor.update(padded) + encryptor.finalize())).decode()


@pytest.mark.parametrize("name", VECTORS)
def test_a_landing_says_what_was_seen_on_the_wire(name: str) -> None:
    fas, iv, text, let_in = vector(name)
    landing = read_landing(fas, iv, FASKEY)
    assert f"hid={landing.hid}, clientip={landing.address}, clientmac={landing.mac}" in text
    assert f"version={landing.version}, gatewayaddress={landing.gateway_address}" in text
    assert landing.gateway_hash == "21497d364b8c90fe1b5a55357f5273d465aca6116ef6ba5dcc8189e4efc81b91"
    assert (landing.origin_url, landing.client_interface) == ("http://www.lab/hello?a=1", "br-lan")
    assert landing.client_type in ("cpi_api", "cpd_can") and landing.gateway_mac == "02:00:00:00:00:01"
    assert rhid(landing.hid, FASKEY) == let_in


def test_there_are_vectors_of_each_level_that_is_served() -> None:
    assert {name[:7] for name in VECTORS} == {"level-1", "level-2", "level-3", "level-4"}


@pytest.mark.parametrize("name", [name for name in VECTORS if name[6] in "23"])
def test_another_faskey_reads_nothing(name: str) -> None:
    fas, iv, _, _ = vector(name)
    with pytest.raises(BadLanding, match=r"another faskey|without|not base64|no text"):
        read_landing(fas, iv, FASKEY[:-1])


def test_a_blank_that_was_a_plus_sign_is_one_again() -> None:
    text = PLAIN.format(hid=HID) + ", note=~~>>??"
    assert "+" in plain(text)
    assert read_landing(plain(text).replace("+", " "), None, FASKEY).hid == HID


@pytest.mark.parametrize(
    "change",
    [
        ("clientmac=02:00:00:00:01:0b", "clientmac=ff:ff:ff:ff:ff:ff"),
        ("clientmac=02:00:00:00:01:0b", "clientmac=$(touch /tmp/x)"),
        ("clientip=10.88.0.11", "clientip=fe80::1"),
        ("clientip=10.88.0.11, ", ""),
        ("gatewayaddress=10.88.0.1:2050", "gatewayaddress=evil.example:80"),
        ("gatewayaddress=10.88.0.1:2050", "gatewayaddress=10.88.0.1:2050/../"),
        ("gatewayaddress=10.88.0.1:2050", "gatewayaddress=10.88.0.1:99999"),
        ("clientif=br", "clientif=`id`"),
        ("client_type=cpd_can", "client_type=<script>"),
        ("clientif=br", "clientif=br, authdir=../../etc"),
        (f"hid={HID}", "hid=" + "g" * 64),
        (f"hid={HID}", "hid=0"),
        ("gatewaymac=020000000001", "gatewaymac=zz"),
    ],
)
def test_what_a_gateway_would_not_say_is_no_landing(change: tuple[str, str]) -> None:
    text = PLAIN.format(hid=HID)
    assert read_landing(plain(text), None, FASKEY).hid == HID
    with pytest.raises(BadLanding):
        read_landing(plain(text.replace(*change)), None, FASKEY)
    with pytest.raises(BadLanding):
        read_landing(encrypted(text.replace(*change).encode()), "0123456789abcdef", FASKEY)


@pytest.mark.parametrize("iv", ["", "0123", "0123456789abcdeg", "0123456789ABCDEF", "é" * 8, "0" * 32])
def test_an_iv_is_sixteen_digits(iv: str) -> None:
    with pytest.raises(BadLanding):
        read_landing(encrypted(PLAIN.format(hid=HID).encode()), iv, FASKEY)


def test_a_landing_that_is_cut_or_too_long_is_refused_at_once() -> None:
    whole = encrypted(PLAIN.format(hid=HID).encode())
    for fas in ("", whole[:-8], whole[: len(whole) // 2], whole[4:], "A" * 9000, plain(HID) * 2):
        with pytest.raises(BadLanding):
            read_landing(fas, "0123456789abcdef", FASKEY)


@given(st.binary(max_size=400), st.booleans())
def test_whatever_comes_is_a_landing_or_refused(data: bytes, is_encrypted: bool) -> None:
    fas = encrypted(data) if is_encrypted else base64.b64encode(data).decode()
    with pytest.raises(BadLanding):
        read_landing(fas, "0123456789abcdef" if is_encrypted else None, FASKEY)


@given(st.text(max_size=300))
def test_whatever_stands_in_the_query_is_refused_in_words(fas: str) -> None:
    with pytest.raises(BadLanding) as refusal:
        read_landing(fas, None, FASKEY)
    assert str(refusal.value).isprintable()
