"""What rlm_rest is answered, in the form of which FreeRADIUS changes nothing."""

from __future__ import annotations

import pytest

from gateways.radius import credentials, profile, replies
from gateways.radius.profile import RadiusProfile
from gateways.types import MacAddress

MAC = MacAddress("02:00:00:00:0a:01")


def accepted(**changes: int) -> dict[str, object]:
    values = {"seconds": 1799, "interim_seconds": 300, "number": 7, **changes}
    return replies.accept(RadiusProfile(), **values)


def test_numbers_are_whole_and_texts_are_not_expanded() -> None:
    assert accepted(down_kbps=2000, up_kbps=500, idle_seconds=900) == {
        "reply:Session-Timeout": 1799,
        "reply:Acct-Interim-Interval": 300,
        "reply:Class": {"do_xlat": False, "value": ["arobase-7"]},
        "reply:Idle-Timeout": 900,
        "reply:WISPr-Bandwidth-Max-Down": 2_000_000,
        "reply:WISPr-Bandwidth-Max-Up": 500_000,
    }


def test_what_is_none_is_left_out_and_an_interval_is_a_minute_at_least() -> None:
    reply = accepted(interim_seconds=5)
    assert set(reply) == {"reply:Session-Timeout", "reply:Acct-Interim-Interval", "reply:Class"}
    assert reply["reply:Acct-Interim-Interval"] == 60


def test_no_time_is_no_acceptance() -> None:
    with pytest.raises(ValueError, match="no time"):
        accepted(seconds=0)


def test_numbers_end_where_the_attribute_does() -> None:
    assert accepted(seconds=2**40)["reply:Session-Timeout"] == 2**32 - 1
    assert accepted(down_kbps=5_000_000, up_kbps=1)["reply:WISPr-Bandwidth-Max-Down"] == 2**32 - 1


def test_each_vendor_has_its_own_unit_and_order() -> None:
    assert profile.chillispot(2000, 500) == {
        "ChilliSpot-Bandwidth-Max-Down": 2000,
        "ChilliSpot-Bandwidth-Max-Up": 500,
    }
    # The router's rx is what the client sends.
    assert profile.mikrotik(2000, 500) == {"Mikrotik-Rate-Limit": "500k/2000k"}
    assert profile.pfsense(2000, 500)["pfSense-Bandwidth-Max-Down"] == 2_000_000


def test_a_class_of_ours_names_its_session_and_no_other_does() -> None:
    assert replies.number_in(replies.class_of(42).encode()) == 42
    for other in (
        None,
        b"",
        b"42",
        b"arobase-",
        b"arobase--1",
        b"arobase-0",
        b"arobase-4x",
        "arobase-²".encode(),
    ):
        assert replies.number_in(other) is None
    assert replies.number_in(b"arobase-99999999999") is None


def test_credentials_are_the_same_again_and_of_one_session_device_and_gateway_alone() -> None:
    made = credentials.credentials_of("key", 7, MAC)
    assert made == credentials.credentials_of("key", 7, MAC)
    assert credentials.number_of("key", made.user) == 7
    assert len(made.user) <= 31 and made.user.isalnum() and made.secret.isalnum()
    assert len(made.secret) == 26 and made.secret not in repr(made)
    others = [
        credentials.credentials_of("other", 7, MAC),
        credentials.credentials_of("key", 8, MAC),
        credentials.credentials_of("key", 7, MacAddress("02:00:00:00:0a:02")),
    ]
    assert made.secret not in [other.secret for other in others]
    assert credentials.number_of("other", made.user) is None
    for user in ("7", f"8{made.user[1:]}", made.user.upper(), made.user + "\n", "0" + made.user, ""):
        assert credentials.number_of("key", user) is None
