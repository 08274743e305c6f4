"""What rlm_rest writes is read strictly, as FreeRADIUS 3.2.1 was seen to write it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from gateways.radius.attributes import Attributes, MalformedRequest, read
from tests.gateways.radius.packets import body

# As it came from a CoovaChilli 1.8.
STOP = json.loads("""
{"User-Name":{"type":"string","value":["guest"]},"NAS-IP-Address":{"type":"ipaddr","value":["10.99.0.2"]},
"Class":{"type":"octets","value":["0x6c61622d6775657374"]},
"Calling-Station-Id":{"type":"string","value":["02-AA-BB-CC-DD-01"]},
"Acct-Status-Type":{"type":"integer","value":["Stop"]},"Acct-Input-Octets":{"type":"integer","value":[1295645]},
"Event-Timestamp":{"type":"date","value":["Nov 22 2026 18:51:18 UTC"]},
"Attr-26.14559.10":{"type":"octets","value":["0x00000002"]}}
""")


def test_a_packet_of_a_gateway_is_read() -> None:
    packet = read(STOP)
    assert packet.text("User-Name") == "guest"
    assert packet.address("NAS-IP-Address") == ip_address("10.99.0.2")
    assert packet.octets("Class") == b"lab-guest"
    assert packet.mac("Calling-Station-Id") == "02:aa:bb:cc:dd:01"
    assert packet.word("Acct-Status-Type") == "Stop"
    assert packet.number("Acct-Input-Octets") == 1_295_645
    assert packet.instant("Event-Timestamp") == datetime(2026, 11, 22, 18, 51, 18, tzinfo=UTC)
    assert packet.text("Reply-Message") is packet.number("Session-Timeout") is packet.octets("State") is None


def test_enumerations_come_by_name_or_by_number() -> None:
    assert read(body(Acct_Status_Type=2)).word("Acct-Status-Type") == "2"
    assert read(body(Acct_Session_Time="27")).number("Acct-Session-Time") == 27
    assert read(body(Event_Timestamp=0)).instant("Event-Timestamp") == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["élodie", "Ж", "🙂", "plain", "\u00e9"])
def test_text_whose_bytes_were_escaped_one_by_one_is_repaired(text: str) -> None:
    garbled = text.encode().decode("latin-1")
    assert read(body(User_Name=garbled)).text("User-Name") == text
    assert read(body(User_Name=text)).text("User-Name") == text


def test_controls_in_a_text_are_replaced() -> None:
    came = "a\r\nb\x00\x1b[2J\u2028\ud800"
    assert read(body(User_Name=came)).text("User-Name") == "a��b��[2J��"


def test_of_several_values_the_first_counts() -> None:
    assert read(body(User_Name=["one", "two"])).text("User-Name") == "one"
    assert read(body(User_Name=[])).text("User-Name") is None


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "text",
        {"User-Name": "guest"},
        {"User-Name": {"type": "string"}},
        {"User-Name": {"type": "string", "value": "guest"}},
        {"User-Name": {"value": [{"op": ":="}]}},
        {"User-Name": {"value": [["x"]]}},
        {str(number): {"value": []} for number in range(2049)},
    ],
)
def test_what_is_no_packet_is_refused(wrong: Any) -> None:
    with pytest.raises(MalformedRequest):
        read(wrong)


HOSTILE: tuple[Any, ...] = (
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "x" * 254,
    "\r\nSet-Cookie: a=b",
    "%{User-Password}",
    "0x",
    "0xzz",
    -1,
    2**32,
    1.5,
    True,
    "Nov 31 2026 00:00:00 UTC",
    "Nov 22 2026 18:51:18 CET",
    10**400,
)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
def test_a_value_of_another_kind_is_refused_or_is_text(value: Any) -> None:
    """No reader gives anything but its own type."""
    packet = read(body(It=value))
    for reader, kind in (
        (Attributes.text, str),
        (Attributes.number, int),
        (Attributes.word, str),
        (Attributes.octets, bytes),
        (Attributes.address, object),
        (Attributes.mac, str),
        (Attributes.instant, datetime),
    ):
        try:
            found = reader(packet, "It")
        except MalformedRequest as error:
            assert str(value)[:200] not in str(error)
            continue
        assert found is None or isinstance(found, kind)
        assert not isinstance(found, bool)
        if isinstance(found, str):
            assert len(found) <= 253 and "\n" not in found
        if isinstance(found, int):
            assert 0 <= found < 2**32
