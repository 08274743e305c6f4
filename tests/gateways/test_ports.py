"""One parser, one canonical form of a MAC address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.types import InvalidMac, parse_mac

cards = st.binary(min_size=6, max_size=6).filter(lambda octets: any(octets) and not octets[0] & 1)


@given(
    cards, st.sampled_from(["{}", "{}:{}:{}:{}:{}:{}", "{}-{}-{}-{}-{}-{}", "{}{}.{}{}.{}{}"]), st.booleans()
)
def test_it_reads_every_notation_as_the_same_address(octets: bytes, notation: str, upper: bool) -> None:
    pairs = [f"{octet:02x}" for octet in octets]
    text = "".join(pairs) if notation == "{}" else notation.format(*pairs)
    assert parse_mac(f" {text.upper() if upper else text} ") == ":".join(pairs)


@given(cards)
def test_the_canonical_form_is_its_own(octets: bytes) -> None:
    mac = parse_mac(octets.hex())
    assert parse_mac(mac) == mac


@given(st.text())
def test_it_reads_a_mac_address_or_refuses_whatever_comes(text: str) -> None:
    try:
        mac = parse_mac(text)
    except InvalidMac:
        return
    assert len(mac) == 17 and bytes.fromhex(mac.replace(":", ""))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "01:00:5e:00:00:fb",
        "33:33:00:00:00:01",
        "02:00:00:00:00",
        "02:00:00:00:00:01:02",
        "02:00:00:00:00:0g",
        "02:00:00:00:00:01; flush ruleset",
        "02:00:00:00:00:01 $(reboot)",
        "０２:００:００:００:００:０１",
        "02" + ":" * 4000 + "0000000001",
    ],
)
def test_it_refuses_what_is_not_the_address_of_one_card(text: str) -> None:
    with pytest.raises(InvalidMac):
        parse_mac(text)
