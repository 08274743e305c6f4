"""How a session on a NAS is named, and its new end told, as each product takes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateways.radius.live_sessions import (
    CISCO,
    COOVACHILLI,
    DISCONNECT_AND_CHANGE,
    MERAKI,
    Ask,
    DynamicAuthorization,
    LiveSession,
)
from gateways.radius.options import COA_OPTIONS
from tests.clock import NOON

SESSION = LiveSession(
    user_name="12xabcdefghij",
    acct_session_id="179537353700000001",
    calling_station_id="02-AA-BB-CC-DD-01",
    framed_address="10.1.0.2",
    nas_identifier="labgw",
    started_at=NOON - timedelta(seconds=1500),
)


def named(product: DynamicAuthorization) -> dict[str, str | int]:
    request = product.disconnect(SESSION, now=NOON)
    assert request is not None and request.ask is Ask.DISCONNECT
    return dict(request.attributes)


READ = {option.name: option.read for option in COA_OPTIONS}


def test_a_session_is_named_as_the_nas_named_it_and_by_nothing_that_it_never_said() -> None:
    assert named(DISCONNECT_AND_CHANGE) == {
        "User-Name": "12xabcdefghij",
        "Acct-Session-Id": "179537353700000001",
        "Calling-Station-Id": "02-AA-BB-CC-DD-01",
        "Framed-IP-Address": "10.1.0.2",
        "NAS-Identifier": "labgw",
    }


def test_strict_boxes_are_told_what_they_know_alone() -> None:
    assert set(named(CISCO)) == {"User-Name", "Acct-Session-Id", "Calling-Station-Id"}
    assert named(MERAKI) == {
        "Acct-Session-Id": "179537353700000001",
        "Event-Timestamp": int(NOON.timestamp()),
    }


def test_a_request_that_would_name_no_session_is_not_made() -> None:
    """It could mean every session there is."""
    of_nobody = LiveSession(user_name="", nas_identifier="labgw", nas_address="10.99.0.2")
    assert DISCONNECT_AND_CHANGE.disconnect(of_nobody, now=NOON) is None
    assert MERAKI.disconnect(LiveSession(user_name="12xabcdefghij"), now=NOON) is None
    later = NOON + timedelta(minutes=15)
    assert DISCONNECT_AND_CHANGE.change(of_nobody, until=later, rates={}, now=NOON) is None


def test_a_new_end_counts_from_now_and_at_coovachilli_from_the_start() -> None:
    until = NOON + timedelta(seconds=900.9)
    from_now = DISCONNECT_AND_CHANGE.change(SESSION, until=until, rates={}, now=NOON)
    assert from_now is not None and from_now.ask is Ask.CHANGE
    assert from_now.attributes["Session-Timeout"] == 900
    rates = {"WISPr-Bandwidth-Max-Down": 2_000_000}
    from_start = COOVACHILLI.change(SESSION, until=until, rates=rates, now=NOON)
    assert from_start is not None
    assert from_start.attributes["Session-Timeout"] == 2400
    assert from_start.attributes["WISPr-Bandwidth-Max-Down"] == 2_000_000


def test_a_new_end_that_cannot_be_said_is_not_asked_for() -> None:
    later = NOON + timedelta(minutes=15)
    assert MERAKI.change(SESSION, until=later, rates={}, now=NOON) is None
    # When it started is not known yet.
    unknown = LiveSession(user_name="12xabcdefghij")
    assert COOVACHILLI.change(unknown, until=later, rates={}, now=NOON) is None
    # 0 would mean "without an end" to some.
    almost = NOON + timedelta(seconds=0.5)
    assert DISCONNECT_AND_CHANGE.change(SESSION, until=almost, rates={}, now=NOON) is None


def test_options_are_read_strictly() -> None:
    assert READ["coa_address"]("10.1.2.3") == "10.1.2.3"
    assert READ["coa_address"]("FD66::1") == "fd66::1"
    assert READ["coa_address"]("") == ""
    assert READ["coa_port"]("01700") == "1700"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("coa_address", "gateway.example.org"),
        ("coa_address", "10.1.2.0/24"),
        ("coa_port", "0"),
        ("coa_port", "65536"),
        ("coa_port", "³"),
        ("coa_port", ""),
        ("coa_signed_answers", "maybe"),
    ],
)
def test_what_no_option_can_be_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError):
        READ[name](text)
